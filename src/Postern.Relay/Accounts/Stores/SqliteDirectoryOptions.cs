namespace Postern.Relay.Accounts.Stores;

/// <summary>Where the directory is and how long it may take.</summary>
public sealed record SqliteDirectoryOptions(string Path)
{
    /// <summary>Make the file (mode 0600) when there is none. Its folder must exist.</summary>
    public bool Create { get; init; } = true;

    /// <summary>How long a question or a change waits for another process's lock.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>False asks the engine for changes where shared memory would tell; for tests of that way.</summary>
    internal bool UseWalIndex { get; init; } = true;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
