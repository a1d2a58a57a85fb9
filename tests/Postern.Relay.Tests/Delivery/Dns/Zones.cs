using System.Net;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Dns;

/// <summary>
/// What a validating resolver answers of a handful of zones, some of them signed: aliases are followed, and the answer is proven where every record on
/// the way, or the absence at its end, is in a signed zone. A name in <see cref="Broken"/> fails as a bogus one does.
/// </summary>
internal sealed class Zones
{
    private readonly List<(string Name, DnsType Type, byte[] Data)> records = [];

    /// <summary>Names whose look-up fails, whatever is asked; with a type behind a space, for that alone.</summary>
    public HashSet<string> Broken { get; } = [];

    /// <summary>Ends of names that are in no signed zone.</summary>
    public HashSet<string> Unsigned { get; } = [];

    public Zones Mx(string name, int preference, string host) => Add(name, DnsType.Mx, [(byte)(preference >> 8), (byte)preference, .. ScriptedDns.Name(host)]);

    public Zones A(string name, string address) => Add(name, DnsType.A, IPAddress.Parse(address).GetAddressBytes());

    public Zones Aaaa(string name, string address) => Add(name, DnsType.Aaaa, IPAddress.Parse(address).GetAddressBytes());

    public Zones Cname(string name, string target) => Add(name, DnsType.Cname, ScriptedDns.Name(target));

    public Zones Txt(string name, string text) => Add(name, DnsType.Txt, ScriptedDns.Strings(text));

    public Zones Tlsa(string name, byte usage, byte selector, byte matching, byte[] data) => Add(name, DnsType.Tlsa, [usage, selector, matching, .. data]);

    public Zones Without(string name, DnsType type)
    {
        lock (records)
            records.RemoveAll(r => r.Name == name && r.Type == type);
        return this;
    }

    public ScriptedDns Serve() => new(Answer);

    public DnsReply? Answer(string name, DnsType type)
    {
        if (Broken.Contains(name) || Broken.Contains($"{name} {type}"))
            return ScriptedDns.ServerFailure;
        lock (records)
        {
            var answer = new List<(string, DnsType, byte[])>();
            var isSecure = true;
            for (var at = name; ; )
            {
                isSecure &= IsSigned(at);
                var found = records.Where(r => r.Name == at && r.Type == type).ToList();
                answer.AddRange(found.Select(r => (at == name ? "" : at, r.Type, r.Data)));
                if (found.Count > 0 || records.Find(r => r.Name == at && r.Type == DnsType.Cname) is not { Data: { } target } alias)
                    return new DnsReply(0, answer) { IsAuthentic = isSecure };
                answer.Add((at == name ? "" : at, DnsType.Cname, alias.Data));
                at = TargetOf(target);
                if (Broken.Contains(at))
                    return ScriptedDns.ServerFailure;
            }
        }
    }

    private bool IsSigned(string name) => !Unsigned.Any(end => name == end || name.EndsWith($".{end}", StringComparison.Ordinal));

    private Zones Add(string name, DnsType type, byte[] data)
    {
        lock (records)
            records.Add((name, type, data));
        return this;
    }

    private static string TargetOf(byte[] name)
    {
        var labels = new List<string>();
        for (var at = 0; name[at] > 0; at += name[at] + 1)
            labels.Add(System.Text.Encoding.ASCII.GetString(name, at + 1, name[at]));
        return string.Join('.', labels);
    }
}
