namespace Postern.Testing.Sinks;

/// <summary>What a <see cref="ScriptedSink"/> does instead of what a good server would.</summary>
public abstract record SinkAction
{
    private SinkAction()
    {
    }

    /// <summary>Answers these lines, separated by CRLF; the last CRLF is added. A 421 closes.</summary>
    public sealed record Reply(string Text) : SinkAction;

    /// <summary>Writes these octets as they are and goes on as if it had answered.</summary>
    public sealed record Raw(byte[] Octets) : SinkAction;

    /// <summary>Does what a good server does, once the task is done.</summary>
    public sealed record After(Task Until) : SinkAction;

    /// <summary>Says nothing more until the client goes.</summary>
    public sealed record Hang : SinkAction;

    /// <summary>Writes these octets and says nothing more until the client goes.</summary>
    public sealed record Stall(byte[] Octets) : SinkAction;

    /// <summary>Writes these octets again and again, one after each pause, until the client goes.</summary>
    public sealed record Trickle(byte[] Octets, TimeSpan Pause) : SinkAction;

    /// <summary>Closes the connection in order.</summary>
    public sealed record Close : SinkAction;

    /// <summary>Resets the connection.</summary>
    public sealed record Abort : SinkAction;

    /// <summary>Writes these octets again and again until the client goes.</summary>
    public sealed record Flood(byte[] Octets) : SinkAction;
}
