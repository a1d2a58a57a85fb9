namespace Postern.Relay.Accounts;

/// <summary>
/// The directory's database cannot be read or written: locked for too long, corrupt, or gone. The message says which file and why.
/// </summary>
public sealed class DirectoryUnavailableException : Exception
{
    /// <summary>Another process has it locked: it may answer in a moment.</summary>
    internal bool IsLocked { get; init; }

    /// <summary>What stands in the file cannot be read by this program, now or later.</summary>
    internal bool IsDamaged { get; init; }

    public DirectoryUnavailableException()
    {
    }

    public DirectoryUnavailableException(string message)
        : base(message)
    {
    }

    public DirectoryUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
