namespace Postern.Sasl;

/// <summary>The bindings that one TLS connection has (RFC 5056). What they are is computed when a mechanism asks for it.</summary>
public sealed class ChannelBindings
{
    private readonly Func<ChannelBindingType, byte[]?> compute;

    /// <param name="types">In the order in which a client of ours prefers them.</param>
    /// <param name="compute">The data of one of <paramref name="types"/>, for as long as the connection lasts; null where it cannot be had after all.</param>
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

    /// <summary>Holds what other people's clients bind to over this version of TLS: a server may then offer the -PLUS mechanisms to all of them.</summary>
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
