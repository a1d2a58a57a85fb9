using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>
/// An entry of <c>accounts</c> that a running Dovecot answers: <c>dovecot:/run/dovecot/auth-client</c>, its socket for clients, or
/// <c>dovecot://host:port</c>.
/// </summary>
internal sealed record DovecotSource : AccountSource
{
    private const string Scheme = "dovecot:";
    private const string Example = "such as dovecot:/run/dovecot/auth-client, or dovecot://127.0.0.1:12345";

    /// <summary>Octets of the path of a Unix socket, by the system.</summary>
    private const int MostPathOctets = 107;

    private DovecotSource(AccountSource source)
        : base(source)
    {
    }

    /// <summary>The socket's file; null where it is reached over TCP.</summary>
    public string? Path { get; private init; }

    public string Host { get; private init; } = string.Empty;

    public int Port { get; private init; }

    /// <summary>Appended to names without one; null: names go as they are.</summary>
    public string? MailDomain { get; private init; }

    /// <summary>Mechanisms that it answers wherever it is asked; default: all that it offers, where it alone is asked.</summary>
    public ImmutableArray<string> Mechanisms { get; private init; }

    public override DnsEndPoint? LoginServer => Host.Length > 0 ? new DnsEndPoint(Host, Port) : null;

    public override string? LoginSocket => Path;

    /// <summary>Nothing on the way to it but this machine.</summary>
    private bool IsThisMachine =>
        Path is not null
        || string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        _ = Parse(source.Uri, out var path, out var host, out var port);
        var domain = section.Text(
            "domain",
            "none: names go as they are",
            "Appended to names without one: who logs in as `lisa` is asked for as lisa@example.org.");
        if (domain is not null && !Domain.TryParse(domain, out _))
            section.Report("domain", "it is no domain");
        var isExposed = section.Word(
            "tls",
            [("local", false), ("none", true)],
            fallback: false,
            "`local`",
            "`local`: only a Dovecot on this machine is asked, for its protocol knows no TLS. `none`: also one over a network, where "
                + "every password goes in clear, for all to read.");
        var named = section.Texts(
            "mechanisms",
            [],
            "all that it offers, on listeners that ask this store alone; none on others",
            "Mechanisms of Dovecot's that are passed on to it wherever it is asked, such as `[SCRAM-SHA-256, CRAM-MD5]`: who uses one of "
                + "them is a user of this Dovecot. PLAIN and LOGIN are checked store by store, so `[PLAIN]` passes nothing on.");
        foreach (var name in named)
        {
            if (WhyNotPassedOn(name) is { } objection)
                section.Report("mechanisms", objection);
        }

        var read = new DovecotSource(source)
        {
            Path = path,
            Host = host,
            Port = port,
            MailDomain = Domain.TryParse(domain, out var parsed) ? parsed.Text : null,
            Mechanisms = section.Has("mechanisms") ? [.. named.Select(static name => name.ToUpperInvariant())] : default,
        };
        if (host.Length > 0 && !read.IsThisMachine && !isExposed)
            section.Report(
                "uri",
                "Dovecot's protocol knows no TLS, so every password would go to another machine in clear: lead it through a tunnel to this "
                    + "machine (stunnel, ssh -L, WireGuard), or write 'tls: none'");
        return read;
    }

    /// <summary>What is wrong with the URI.</summary>
    public static string? WhyNot(AccountSource source) => Parse(source.Uri, out _, out _, out _);

    /// <summary>What an operator should be told.</summary>
    public static IEnumerable<string> Warn(AccountSource source)
    {
        if (source is not DovecotSource dovecot)
            yield break;
        if (!dovecot.IsThisMachine)
            yield return "tls: none: every password goes over the network in clear, for all to read";
        if (dovecot.Path is { } path && !File.Exists(path))
            yield return $"there is no {path}: {DovecotServer.HowToMakeIt}; every login by it is answered 454 until it is there";
    }

    /// <summary>As Dovecot is asked for a user.</summary>
    public string NameOf(string user) =>
        MailDomain is null || user.Contains('@', StringComparison.Ordinal) ? user : $"{user}@{MailDomain}";

    /// <summary>A mechanism is passed on, where Dovecot offers it.</summary>
    /// <param name="isAlone">No other store is asked there.</param>
    public bool PassesOn(string mechanism, bool isAlone) =>
        mechanism is not ("PLAIN" or "LOGIN")
        && WhyNotPassedOn(mechanism) is null
        && (Mechanisms.IsDefault ? isAlone : Mechanisms.Contains(mechanism, StringComparer.Ordinal));

    /// <summary>Two entries are equal that say the same.</summary>
    public bool Equals(DovecotSource? other) =>
        base.Equals(other)
        && (Path, Host, Port, MailDomain) == (other.Path, other.Host, other.Port, other.MailDomain)
        && (Mechanisms.IsDefault ? other.Mechanisms.IsDefault : !other.Mechanisms.IsDefault && Mechanisms.SequenceEqual(other.Mechanisms));

    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Path, Host, Port, MailDomain);

    /// <summary>Where it is, for the system.</summary>
    public EndPoint ToEndPoint() =>
        Path is not null ? new UnixDomainSocketEndPoint(Path)
        : IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port)
        : new DnsEndPoint(Host, Port);

    private static string? WhyNotPassedOn(string name) =>
        !SaslMechanisms.All.Any(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ? $"there is no mechanism {name}; there are {string.Join(", ", SaslMechanisms.All.Select(static m => m.Name))}"
        : name.Equals("EXTERNAL", StringComparison.OrdinalIgnoreCase) ? "EXTERNAL rests on a certificate, which is verified here"
        : name.Equals("ANONYMOUS", StringComparison.OrdinalIgnoreCase) ? "ANONYMOUS is nobody's login"
        : name.EndsWith("-PLUS", StringComparison.OrdinalIgnoreCase)
            ? $"{name} is bound to the client's connection, which ends here"
        : null;

    private static string? Parse(string uri, out string? path, out string host, out int port)
    {
        (path, host, port) = (null, string.Empty, 0);
        var rest = uri[Math.Min(Scheme.Length, uri.Length)..];
        if (rest.StartsWith("///", StringComparison.Ordinal))
            rest = rest[2..];
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            if (rest.Length < 2 || rest[0] != '/')
                return $"it names no socket of Dovecot's, by a whole path; {Example}";
            if (Encoding.UTF8.GetByteCount(rest) > MostPathOctets)
                return string.Create(
                    CultureInfo.InvariantCulture, $"the path of a socket has at most {MostPathOctets} octets; {Example}");
            path = rest;
            return null;
        }

        var place = rest[2..].TrimEnd('/');
        var colon = place.LastIndexOf(':');
        if (colon < 0 || place.EndsWith(']')
            || !ushort.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            return $"it names no port: that of 'inet_listener' in Dovecot's 'service auth'; {Example}";
        var name = place[..colon];
        var isV6 = name.StartsWith('[') && name.EndsWith(']');
        var bare = isV6 ? name[1..^1] : name;
        if (System.Uri.CheckHostName(bare) is var kind && (kind == UriHostNameType.Unknown || kind == UriHostNameType.IPv6 != isV6))
            return $"it names no host; {Example}";
        (host, port) = (bare, number);
        return null;
    }
}
