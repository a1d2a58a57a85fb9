using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Upstream;

/// <summary>An entry of <c>accounts</c> that is a mail server: <c>smtp://host:port</c> with STARTTLS, <c>smtps://host:port</c>.</summary>
internal sealed record SmtpSource : AccountSource
{
    private const string SecureScheme = "smtps";
    private const int SubmissionPort = 587;
    private const int SecurePort = 465;

    private SmtpSource(AccountSource source)
        : base(source)
    {
    }

    public string Host { get; private init; } = string.Empty;

    public int Port { get; private init; }

    /// <summary>Appended to names without one; null: names go as they are.</summary>
    public string? MailDomain { get; private init; }

    /// <summary>A file of certificates that are trusted there in place of the system's.</summary>
    public string? Authorities { get; private init; }

    /// <summary>PLAIN and LOGIN alone.</summary>
    public bool ShowsPasswords { get; private init; }

    public ClientTls Tls { get; private init; }

    /// <summary>It may call itself as this server does.</summary>
    public bool MayHaveOurName { get; private init; }

    /// <summary>The password may go there although nothing proves who is there.</summary>
    public bool AllowsExposure => Tls is ClientTls.None or ClientTls.Opportunistic;

    public override DnsEndPoint? LoginServer => Host.Length > 0 && !MayHaveOurName ? new DnsEndPoint(Host, Port) : null;

    /// <summary>Nothing on the way to it but this machine.</summary>
    private bool IsThisMachine =>
        string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        _ = Parse(source.Uri, out var host, out var port);
        var domain = section.Text(
            "domain",
            "none: names go as they are",
            "Appended to names without one: who logs in as `lisa` is asked for as lisa@example.org.");
        if (domain is not null && !Domain.TryParse(domain, out _))
            section.Report("domain", "it is no domain");
        var read = new SmtpSource(source)
        {
            Host = host,
            Port = port,
            MailDomain = Domain.TryParse(domain, out var parsed) ? parsed.Text : null,
            Authorities = section.FilePath(
                "ca", "the system's", "A file of certificates (PEM): the server's must lead to one of these, or be one."),
            ShowsPasswords = section.Word(
                "mechanism",
                [("strongest", false), ("plain", true)],
                fallback: false,
                "`strongest`",
                "What the login there is made by. `strongest`: SCRAM where it is offered, which shows no password, else PLAIN or LOGIN. "
                    + "`plain`: PLAIN or LOGIN, where SCRAM is offered and not every user can use it."),
            MayHaveOurName = section.Word(
                "same_name",
                [("false", false), ("true", true)],
                fallback: false,
                "`false`",
                "`true`: it is another server, although it calls itself as this one does."),
        };
        var tls = section.Word<ClientTls?>(
            "tls",
            [("verify", ClientTls.Required), ("none", ClientTls.None)],
            fallback: null,
            "`verify`; on this machine TLS where the server has it",
            "`verify`: TLS, and the server's certificate is good and bears its name. `none`: in clear, for all to read.");
        var isSecure = source.Uri.StartsWith(SecureScheme + ":", StringComparison.OrdinalIgnoreCase);
        if (isSecure && tls == ClientTls.None)
            section.Report("tls", "smtps:// is TLS from the first octet; without TLS it is smtp://");
        read = read with
        {
            Tls = isSecure ? ClientTls.Implicit : tls ?? (read.IsThisMachine ? ClientTls.Opportunistic : ClientTls.Required),
        };
        if (read.Authorities is not null && read.AllowsExposure)
            section.Report("ca", "it counts where 'tls' is 'verify' only");
        return read;
    }

    /// <summary>What is wrong with the URI.</summary>
    public static string? WhyNot(AccountSource source) => Parse(source.Uri, out _, out _);

    /// <summary>What an operator should be told.</summary>
    public static IEnumerable<string> Warn(AccountSource source)
    {
        if (source is not SmtpSource smtp)
            yield break;
        if (smtp.Tls == ClientTls.None && !smtp.IsThisMachine)
            yield return "tls: none: every password goes over the network in clear, for all to read";
        string? problem = null;
        try
        {
            _ = smtp.LoadAuthorities();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            problem = $"ca: {e.Message}";
        }

        if (problem is not null)
            yield return problem;
    }

    /// <summary>Whom the certificate of the server must lead to; null for the system's.</summary>
    /// <exception cref="CryptographicException">The file holds no certificate.</exception>
    public X509Certificate2Collection? LoadAuthorities()
    {
        if (Authorities is null)
            return null;
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(Authorities);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"{Authorities} holds no certificate");
    }

    /// <summary>As the server is asked for a user.</summary>
    public string NameOf(string user) =>
        MailDomain is null || user.Contains('@', StringComparison.Ordinal) ? user : $"{user}@{MailDomain}";

    /// <summary>What is wrong; it quotes nothing, as a password may stand there.</summary>
    private static string? Parse(string uri, out string host, out int port)
    {
        var isSecure = uri.StartsWith(SecureScheme + ":", StringComparison.OrdinalIgnoreCase);
        var start = uri.IndexOf("://", StringComparison.Ordinal);
        (host, port) = (start < 0 ? string.Empty : uri[(start + 3)..].TrimEnd('/'), isSecure ? SecurePort : SubmissionPort);
        var example = isSecure ? "such as smtps://mail.example.net:465" : "such as smtp://mail.example.net:587";
        if (host.Contains('@', StringComparison.Ordinal))
            return $"a login has no place in the URI: everybody logs in there as himself; {example}";
        if (host.LastIndexOf(':') is >= 0 and var colon && !host.EndsWith(']'))
        {
            if (!ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
                return $"what stands behind ':' is no port; {example}";
            (host, port) = (host[..colon], number);
        }

        var isV6 = host.StartsWith('[');
        host = isV6 ? host.Trim('[', ']') : host;
        var isHost = System.Uri.CheckHostName(host) is not UriHostNameType.Unknown and var kind && kind == UriHostNameType.IPv6 == isV6;
        return isHost ? null : $"it names no host; {example}";
    }
}
