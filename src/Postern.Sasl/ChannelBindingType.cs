namespace Postern.Sasl;

/// <summary>A way to tie a login to the one TLS connection that carries it (RFC 5056), by its name in the IANA registry. There are these three and no others.</summary>
public sealed class ChannelBindingType
{
    private ChannelBindingType(string name, bool isOfConnection)
    {
        Name = name;
        IsOfConnection = isOfConnection;
    }

    /// <summary>Keying material of the connection (RFC 9266): what clients take over TLS 1.3.</summary>
    public static ChannelBindingType TlsExporter { get; } = new("tls-exporter", isOfConnection: true);

    /// <summary>The first Finished message (RFC 5929 §3): what clients take over TLS 1.2. TLS 1.3 does not define it, and without an extended master secret it does not bind (RFC 7627).</summary>
    public static ChannelBindingType TlsUnique { get; } = new("tls-unique", isOfConnection: true);

    /// <summary>A hash of the server's certificate (RFC 5929 §4). Whoever has its key can stand in between.</summary>
    public static ChannelBindingType TlsServerEndPoint { get; } = new("tls-server-end-point", isOfConnection: false);

    /// <summary>Every type.</summary>
    public static IReadOnlyList<ChannelBindingType> All { get; } = [TlsExporter, TlsUnique, TlsServerEndPoint];

    /// <summary>As it stands in <c>p=…</c> of a GS2 header; compared octet by octet.</summary>
    public string Name { get; }

    /// <summary>Differs from one connection to the next, whatever the certificate.</summary>
    public bool IsOfConnection { get; }

    /// <summary>The type of that name; null for none that is known.</summary>
    public static ChannelBindingType? Find(string name) => All.FirstOrDefault(type => type.Name == name);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
