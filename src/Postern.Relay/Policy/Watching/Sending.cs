namespace Postern.Relay.Policy.Watching;

/// <summary>
/// One thing that a login does: it names a recipient, or its message has come with a header. Names are hashes; 0 where there is none.
/// </summary>
/// <param name="Network">The client's network, of /24 or /48.</param>
/// <param name="Country">Where an operator's database says that it is.</param>
/// <param name="System">The number of the autonomous system that it belongs to.</param>
internal readonly record struct Sending(uint Network, uint Country, uint System, DateTimeOffset At)
{
    /// <summary>Which address of the network.</summary>
    public ulong Client { get; init; }

    /// <summary>Of RCPT.</summary>
    public ulong Recipient { get; init; }

    /// <summary>The domain of the recipient.</summary>
    public ulong Domain { get; init; }

    /// <summary>Who it says that it is from: the envelope's sender, or the header.</summary>
    public ulong Author { get; init; }

    /// <summary>What it is about, of a message whose header has come.</summary>
    public uint Subject { get; init; }

    /// <summary>How many get the message whose header has come.</summary>
    public int Copies { get; init; }
}
