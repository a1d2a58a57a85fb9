using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Admin.Domains;

/// <summary>
/// What a receiver makes of the SPF record of a domain for mail from one address (RFC 7208 §4 to §6). Terms with macros, <c>ptr</c> and
/// <c>exists</c> are counted as look-ups and match nothing: they ask about a sender that is not known here.
/// </summary>
internal sealed class SpfCheck(Func<string, DnsType, ValueTask<DnsAnswer>> ask, IPAddress client)
{
    /// <summary>Terms that ask DNS, in all records together (§4.6.4).</summary>
    private const int MostLookUps = 10;

    private const int MostHosts = 10;

    private int lookUps;

    /// <summary>Terms whose answer is not known here.</summary>
    public List<string> PassedOver { get; } = [];

    public async ValueTask<SpfResult> CheckAsync(string domain)
    {
        var answer = await ask(domain, DnsType.Txt).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return SpfResult.Unknown(answer.Detail);
        var records = answer.Records.OfType<DnsRecord.Txt>().Select(static r => r.Text)
            .Where(static t => $"{t} ".StartsWith("v=spf1 ", StringComparison.OrdinalIgnoreCase)).ToList();
        if (records.Count != 1)
            return records.Count == 0 ? new SpfResult(SpfWord.None, $"{domain} has no SPF record") : SpfResult.Broken(
                string.Create(CultureInfo.InvariantCulture, $"{domain} has {records.Count} SPF records, of which receivers take none"));
        string? redirect = null;
        foreach (var term in records[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            if (term.StartsWith("redirect=", StringComparison.OrdinalIgnoreCase))
                redirect = term["redirect=".Length..];
            else if (!IsModifier(term) && await TermAsync(domain, term).ConfigureAwait(false) is { } decided)
                return decided;
        }

        if (redirect is null)
            return new SpfResult(SpfWord.Neutral, $"no term of {records[0]} matches");
        if (++lookUps > MostLookUps)
            return TooMany();
        var followed = await CheckAsync(redirect).ConfigureAwait(false);
        return followed.Word == SpfWord.None ? SpfResult.Broken($"redirect={redirect}: it has no SPF record") : followed;
    }

    private static bool IsModifier(string term) => term.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
        && term.AsSpan(0, equals).IndexOfAny(":/") < 0;

    /// <summary>What the term decides; null where it does not match.</summary>
    private async ValueTask<SpfResult?> TermAsync(string domain, string term)
    {
        var word = term[0] switch { '-' => SpfWord.Fail, '~' => SpfWord.SoftFail, '?' => SpfWord.Neutral, _ => SpfWord.Pass };
        var body = term[0] is '+' or '-' or '~' or '?' ? term[1..] : term;
        var end = body.AsSpan().IndexOfAny(":/");
        var (name, argument) = end < 0 ? (body, string.Empty) : (body[..end], body[end..]);
        if (argument.Contains('%', StringComparison.Ordinal))
            PassedOver.Add(term);
        var (isMatch, decided) = name.ToLowerInvariant() switch
        {
            "all" => new Match(true),
            "ip4" or "ip6" => OfNetwork(argument, term),
            "a" or "mx" or "include" or "exists" or "ptr" =>
                await AskedAsync(domain, name.ToLowerInvariant(), argument, term).ConfigureAwait(false),
            _ => new Match(SpfResult.Broken($"'{term}' is no term of SPF")),
        };
        return isMatch ? new SpfResult(word, $"'{term}' of {domain}") : decided;
    }

    /// <summary>Bits behind the prefix, which records often have, are passed over.</summary>
    private Match OfNetwork(string argument, string term)
    {
        var parts = argument.TrimStart(':').Split('/');
        if (argument.StartsWith("::", StringComparison.Ordinal))
            parts[0] = argument[1..].Split('/')[0];
        var bits = 128;
        return IPAddress.TryParse(parts[0], out var address)
            && (parts.Length == 1 || int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out bits))
                ? new Match(IsWithin(address, Math.Min(bits, address.GetAddressBytes().Length * 8)))
                : new Match(SpfResult.Broken($"'{term}' names no address"));
    }

    private bool IsWithin(IPAddress address, int bits)
    {
        if (address.AddressFamily != client.AddressFamily)
            return false;
        var (wanted, have) = (address.GetAddressBytes(), client.GetAddressBytes());
        for (var i = 0; i < bits; i++)
        {
            var mask = 0x80 >> (i % 8);
            if ((wanted[i / 8] & mask) != (have[i / 8] & mask))
                return false;
        }

        return true;
    }

    private async ValueTask<Match> AskedAsync(string domain, string name, string argument, string term)
    {
        if (++lookUps > MostLookUps)
            return new Match(TooMany());
        if (name is "exists" or "ptr" || argument.Contains('%', StringComparison.Ordinal))
        {
            if (!PassedOver.Contains(term))
                PassedOver.Add(term);
            return new Match(false);
        }

        var (target, bits) = Target(domain, argument);
        switch (name)
        {
            case "include":
                var inner = await CheckAsync(target).ConfigureAwait(false);
                return inner.Word switch
                {
                    SpfWord.None => new Match(SpfResult.Broken($"'{term}': {target} has no SPF record")),
                    SpfWord.Broken or SpfWord.Unknown => new Match(inner),
                    _ => new Match(inner.Word == SpfWord.Pass),
                };
            case "a":
                return await IsHostAsync(target, bits).ConfigureAwait(false);
            default:
                var answer = await ask(target, DnsType.Mx).ConfigureAwait(false);
                if (answer.Status == DnsStatus.Unavailable)
                    return new Match(SpfResult.Unknown(answer.Detail));
                foreach (var mx in answer.Records.OfType<DnsRecord.Mx>().Where(static r => r.Exchange.Length > 0).Take(MostHosts))
                {
                    if (await IsHostAsync(mx.Exchange, bits).ConfigureAwait(false) is { IsNone: false } found)
                        return found;
                }

                return new Match(false);
        }
    }

    /// <summary>Of <c>a:host/24//64</c>: the domain, and the lengths of the prefixes.</summary>
    private static (string Domain, (int V4, int V6) Bits) Target(string domain, string argument)
    {
        var parts = argument.Split('/');
        var target = parts[0].Length > 1 ? parts[0][1..] : domain;
        return (target, (Bits(parts, 1, 32), Bits(parts, 3, 128)));
    }

    private static int Bits(string[] parts, int at, int most) =>
        at < parts.Length && int.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
            ? Math.Min(bits, most)
            : most;

    private async ValueTask<Match> IsHostAsync(string host, (int V4, int V6) bits)
    {
        var isV4 = client.AddressFamily == AddressFamily.InterNetwork;
        var answer = await ask(host, isV4 ? DnsType.A : DnsType.Aaaa).ConfigureAwait(false);
        return answer.Status == DnsStatus.Unavailable
            ? new Match(SpfResult.Unknown(answer.Detail))
            : new Match(answer.Records.OfType<DnsRecord.Address>().Any(r => IsWithin(r.Value, isV4 ? bits.V4 : bits.V6)));
    }

    private static SpfResult TooMany() => SpfResult.Broken(string.Create(
        CultureInfo.InvariantCulture, $"its terms need more than {MostLookUps} look-ups, and receivers stop there"));

    /// <summary>Whether a term is met; what is decided where that cannot be said.</summary>
    private readonly record struct Match(bool IsMatch, SpfResult? Decided = null)
    {
        public Match(SpfResult decided)
            : this(false, decided)
        {
        }

        public bool IsNone => !IsMatch && Decided is null;
    }
}

/// <summary>What comes out for one address, and by what.</summary>
internal sealed record SpfResult(SpfWord Word, string Because)
{
    public static SpfResult Broken(string because) => new(SpfWord.Broken, because);

    public static SpfResult Unknown(string because) => new(SpfWord.Unknown, because);
}

/// <summary>The results of RFC 7208 §2.6.</summary>
internal enum SpfWord
{
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,

    /// <summary><c>permerror</c>.</summary>
    Broken,

    /// <summary><c>temperror</c>.</summary>
    Unknown,
}
