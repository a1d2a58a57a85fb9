namespace Postern.Commands.Try;

/// <summary>A scene saw something other than what it expects; the message says both.</summary>
internal sealed class TryFailure : Exception
{
    public TryFailure()
    {
    }

    public TryFailure(string message)
        : base(message)
    {
    }

    public TryFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
