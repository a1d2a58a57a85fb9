using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Onward;

/// <summary>Somebody beside the files who is sent every line of them: a closed list.</summary>
public abstract record LogTarget
{
    private protected LogTarget()
    {
    }

    /// <summary>Its word in the log and in the name of the file that says how far it is.</summary>
    internal abstract string Name { get; }

    /// <exception cref="IOException">It cannot be reached, or is not who it should be; the message says which.</exception>
    internal abstract ValueTask<LogChannel> OpenAsync(CancellationToken ct);
}

/// <summary>A line of a log file, and the event that it tells of.</summary>
internal readonly record struct LogLine(AuditEvent Audit, ReadOnlyMemory<byte> Text);

/// <summary>A way to a <see cref="LogTarget"/> that is open.</summary>
internal abstract class LogChannel : IAsyncDisposable
{
    /// <summary>
    /// How long it may take until a failure is felt: what was handed over longer ago, on a way that is not broken, has got there.
    /// </summary>
    public abstract TimeSpan Settling { get; }

    /// <summary>The other side has ended it.</summary>
    public abstract bool IsBroken { get; }

    /// <summary>Returns when the operating system has all of them.</summary>
    /// <exception cref="IOException">Some may have got through.</exception>
    public abstract ValueTask SendAsync(IReadOnlyList<LogLine> lines, CancellationToken ct);

    /// <summary>Returns when the other side has read everything.</summary>
    /// <exception cref="IOException">Whether it has is not known.</exception>
    public abstract ValueTask EndAsync(CancellationToken ct);

    public abstract ValueTask DisposeAsync();
}
