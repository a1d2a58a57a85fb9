namespace Postern.Sasl;

/// <summary>The bindings that one TLS connection has (RFC 5056). What they are is computed when a mechanism asks for it.</summary>
public sealed class ChannelBindings
{
    private readonly Func<ChannelBindingType, byte[]?> compute;

    /// <param name="types">In the order in which a client of ours prefers them.</param>
    /// <param name="compute">
    /// The data of one of <paramref name="types"/>, for as long as the connection lasts; null where it cannot be had after all.
    /// </param>
    public ChannelBindings(IReadOnlyList<ChannelBindingType> types, Func<ChannelBindingType, byte[]?> compute)
    {
        Types = types;
        this.compute = compute;
    }

    /// <summary>Keeps the data; each type once.</summary>
    public ChannelBindings(params IReadOnlyList<(ChannelBindingType Type, byte[] Data)> bindings)
        : this([.. bindings.Select(static b => b.Type)], type => bindings.First(b => b.Type == type).Data)
    {
    }

    /// <summary>In the order in which a client of ours prefers them.</summary>
    public IReadOnlyList<ChannelBindingType> Types { get; }

    /// <summary>
    /// Holds what other people's clients bind to over this version of TLS: a server may then offer the -PLUS mechanisms to all of them.
    /// </summary>
    public bool TiesTheConnection
    {
        get
        {
            foreach (var type in Types)
            {
                if (type.IsOfConnection)
                    return true;
            }

            return false;
        }
    }

    /// <summary>False when this connection has no binding of that type: a mechanism must then refuse it, never take empty data.</summary>
    public bool TryGet(ChannelBindingType type, out ReadOnlyMemory<byte> data)
    {
        var found = Types.Contains(type) ? compute(type) : null;
        data = found;
        return found is not null;
    }
}

/// <summary>
/// A way to tie a login to the one TLS connection that carries it (RFC 5056), by its name in the IANA registry. There are these three and
/// no others.
/// </summary>
public sealed class ChannelBindingType
{
    private ChannelBindingType(string name, bool isOfConnection)
    {
        Name = name;
        IsOfConnection = isOfConnection;
    }

    /// <summary>Keying material of the connection (RFC 9266): what clients take over TLS 1.3.</summary>
    public static ChannelBindingType TlsExporter { get; } = new("tls-exporter", isOfConnection: true);

    /// <summary>
    /// The first Finished message (RFC 5929 §3): what clients take over TLS 1.2. TLS 1.3 does not define it, and without an extended master
    /// secret it does not bind (RFC 7627).
    /// </summary>
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
