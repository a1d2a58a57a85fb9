using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// The certificates that are shown at one time, and which to whom. Immutable, and made from the certificates alone: no name that a client
/// asks for is ever kept.
/// </summary>
internal sealed class CertificateSet
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = false };

    private readonly FrozenDictionary<string, TlsCertificate>.AlternateLookup<ReadOnlySpan<char>> exact;
    private readonly FrozenDictionary<string, TlsCertificate>.AlternateLookup<ReadOnlySpan<char>> wildcards;

    public CertificateSet(TlsCertificate primary, IEnumerable<TlsCertificate> more)
    {
        All = [primary, .. more];
        HasBothKinds = All.Any(static c => c.IsRsa) && All.Any(static c => !c.IsRsa);
        var (names, parents) = (NewMap(), NewMap());
        foreach (var certificate in All)
        {
            foreach (var name in certificate.Names)
                Add(
                    name.StartsWith("*.", StringComparison.Ordinal) ? parents : names,
                    name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name,
                    certificate);
        }

        exact = names.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
        wildcards = parents.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The first is for clients that name no server, or an unknown one.</summary>
    public ImmutableArray<TlsCertificate> All { get; }

    /// <summary>RSA and others: which is shown depends on the client.</summary>
    public bool HasBothKinds { get; }

    public TlsCertificate Primary => All[0];

    /// <summary>By the exact name, else by a wildcard for its first label (RFC 9525 §6.3), else the primary.</summary>
    public TlsCertificate Find(ReadOnlySpan<char> serverName)
    {
        if (exact.TryGetValue(serverName, out var certificate))
            return certificate;
        var dot = serverName.IndexOf('.');
        return dot > 0 && wildcards.TryGetValue(serverName[(dot + 1)..], out certificate) ? certificate : Primary;
    }

    /// <summary>
    /// The same, or of the certificates that share a name with it the first that the client can use; the same too where none is.
    /// </summary>
    public TlsCertificate Suited(TlsCertificate found, ClientHello hello)
    {
        if (found.Suits(hello))
            return found;
        foreach (var other in All)
        {
            if (other.Suits(hello) && other.Names.Intersect(found.Names, StringComparer.OrdinalIgnoreCase).Any())
                return other;
        }

        return found;
    }

    private static Dictionary<string, TlsCertificate> NewMap() => new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Certificates hold A-labels (<c>xn--…</c>), which the runtime turns into Unicode when it reads them from a client's hello. The first
    /// certificate for a name has it.
    /// </summary>
    private static void Add(Dictionary<string, TlsCertificate> map, string name, TlsCertificate certificate)
    {
        map.TryAdd(name, certificate);
        try
        {
            map.TryAdd(Idn.GetUnicode(name), certificate);
        }
        catch (ArgumentException)
        {
            // Not IDNA: it is asked for as it stands.
        }
    }
}
