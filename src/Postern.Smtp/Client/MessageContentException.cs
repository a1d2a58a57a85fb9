namespace Postern.Smtp.Client;

/// <summary>
/// The content could not be read to its end, so the message was not ended either: the connection was cut and the server has nothing.
/// The cause is the inner exception.
/// </summary>
public sealed class MessageContentException : Exception
{
    public MessageContentException()
    {
    }

    public MessageContentException(string message)
        : base(message)
    {
    }

    public MessageContentException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
