using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Dns;

/// <summary>One answer of a <see cref="ScriptedDns"/>; an empty owner is the name asked for.</summary>
internal sealed record DnsReply(int Code, IReadOnlyList<(string Owner, DnsType Type, byte[] Data)> Records)
{
    public int Ttl { get; init; } = 300;

    /// <summary>The AD bit.</summary>
    public bool IsAuthentic { get; init; }

    public bool TruncateUdp { get; init; }

    /// <summary>Sent over UDP as they are instead.</summary>
    public byte[]? Octets { get; init; }
}
