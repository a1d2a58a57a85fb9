using System.Collections.Frozen;

namespace Postern.Sasl;

/// <summary>
/// What ties a login to the one TLS connection that carries it (RFC 5056), by the names of the IANA registry. <c>tls-exporter</c>
/// (RFC 9266) is absent: the runtime has no way to export keying material. <c>tls-unique</c> is absent on purpose: TLS 1.3 does not define it,
/// and below that it does not bind (RFC 7627).
/// </summary>
public sealed class ChannelBindings
{
    /// <summary>A hash of the server's certificate (RFC 5929 §4).</summary>
    public const string TlsServerEndPoint = "tls-server-end-point";

    private readonly FrozenDictionary<string, ReadOnlyMemory<byte>> bindings;

    /// <summary>Keeps them; each name once.</summary>
    /// <param name="bindings">The data by registered name.</param>
    public ChannelBindings(IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> bindings) =>
        this.bindings = bindings.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>False when this connection has no binding of that name: a mechanism must then refuse it, never take empty data.</summary>
    public bool TryGet(string name, out ReadOnlyMemory<byte> data) => bindings.TryGetValue(name, out data);
}
