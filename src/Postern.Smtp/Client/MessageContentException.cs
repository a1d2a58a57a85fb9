namespace Postern.Smtp.Client;

/// <summary>
/// The content could not be read to its end, so the message was not ended either: the connection was cut and the server has nothing.
/// The cause is the inner exception.
/// </summary>
public sealed class MessageContentException : Exception
{
    /// <summary>Without a word of why.</summary>
    public MessageContentException()
    {
    }

    /// <summary>With what could not be read.</summary>
    public MessageContentException(string message)
        : base(message)
    {
    }

    /// <summary>With what could not be read, and why.</summary>
    public MessageContentException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
