using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration.Reading;
using Postern.Configuration.Upstream;
using Postern.Relay.Delivery.Logins;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;

namespace Postern.Configuration;

/// <summary>
/// <c>delivery.routes[].login</c>: how a route logs in to its server. Secrets are read with the configuration, and again when their files
/// change.
/// </summary>
/// <param name="Mechanisms">Null for the strongest that the server offers.</param>
internal sealed record LoginOptions(string User, Secret? Password, Secret? Token, ImmutableArray<string>? Mechanisms)
{
    private static readonly string[] BearerMechanisms = ["OAUTHBEARER", "XOAUTH2"];

    private static readonly Kind<string> Names = Kinds.NameOf(
        "mechanism", SaslClientMechanisms.All.Where(static m => m is not AnonymousClient).Select(static m => m.Name));

    /// <summary>Where the token comes from; null where it is none, or stands in the file.</summary>
    public TokenGrant? Grant { get; init; }

    /// <summary>With its private key.</summary>
    public X509Certificate2? Certificate { get; init; }

    public bool HasKerberos { get; init; }

    /// <summary>By which tickets are had; null for the ticket cache, or a password.</summary>
    public string? Keytab { get; init; }

    public static LoginOptions Read(Section section)
    {
        var user = section.Value<string?>(
            "user", Kinds.Text!, fallback: null, "must be given, but with `certificate` or `kerberos`", "The name to log in with.")
            ?? string.Empty;
        var password = section.Secret(
            "password",
            "For every mechanism but OAUTHBEARER and XOAUTH2: the password itself, `file:PATH` (its one line), "
                + "`credential:NAME` of systemd's, `vault:PATH#KEY`, or `${VARIABLE}` of the environment. PLAIN and LOGIN show it to the "
                + "server, "
                + "so they are used only over TLS with a certificate that verifies. A file is read again when it changes.");
        var token = section.Secret(
            "token", "For OAUTHBEARER and XOAUTH2, over verified TLS only: an access token, given as `password` is.");
        var mechanisms = section.List(
            "mechanisms",
            Names,
            [],
            "all",
            "The mechanisms that may be used; of those that the server offers the strongest is. "
                + "Name the strong ones alone where the server has them: nobody in between can then talk it down. "
                + "The -PLUS forms bind the login to the TLS connection, by the best binding that it has.");
        var grant = section.OptionalChild<TokenGrant>(
            "oauth",
            oauth => UpstreamOAuthOptions.Read(oauth, user)!,
            "In the place of `token`: where access tokens come from. One is asked for when it is needed, kept in memory, and renewed "
                + "five minutes before it ends. When the endpoint refuses for good (`invalid_grant`), mail waits, "
                + "and the postmaster is told once.");
        var certificate = ReadCertificate(section);
        var (kerberos, keytab) = ReadKerberos(section);
        if (!section.Has("user") && !section.Has("certificate") && !kerberos)
            section.ReportMissing("user", Kinds.Text.Expected);
        if (((string[])["password", "token", "oauth", "certificate"]).All(k => !section.Has(k)) && !kerberos)
            section.Report("password", "a login without a secret", "password, token, oauth, certificate or kerberos");
        if (section.Has("oauth") && section.Has("token"))
            section.Report("token", "token and oauth exclude each other", "one of them");
        if (section.HasEmptyList("mechanisms"))
            section.Report("mechanisms", "without a mechanism there is no login", "at least one, or the key left out");
        // A password beside it would be shown where the server offers no mechanism for tokens.
        var allowed = section.Has("mechanisms") ? mechanisms : section.Has("oauth") ? [.. BearerMechanisms] : (ImmutableArray<string>?)null;
        return new LoginOptions(user, password, token, allowed)
        {
            Grant = grant,
            Certificate = certificate,
            HasKerberos = kerberos,
            Keytab = keytab,
        };
    }

    public ClientLogin ToLogin() =>
        new(new SaslClientCredentials
        {
            User = User,
            Password = Password,
            Token = Token,
            HasClientCertificate = Certificate is not null,
            KerberosKeytab = Keytab,
            Kerberos = !HasKerberos || Keytab is not null ? null
                : Password is null ? CredentialCache.DefaultNetworkCredentials
                : new NetworkCredential(User, Password.Reveal()),
        })
        {
            Mechanisms = Mechanisms,
        };

    private static (bool IsWanted, string? Keytab) ReadKerberos(Section section)
    {
        var isWanted = section.Value(
            "kerberos",
            Kinds.Word(("true", true), ("false", false)),
            fallback: false,
            "false",
            "`true`: logs in by GSSAPI, with a `keytab`, with the ticket cache of the user that Postern runs as (KRB5CCNAME), "
                + "or with `user` and `password`.");
        var keytab = section.FilePath(
            "keytab",
            fallback: null,
            "the ticket cache",
            "For GSSAPI: a keytab with the key of the principal `user` (such as `relay/mail.example.org@EXAMPLE.ORG`), or of the first one "
                + "in it. Tickets are asked for when they are needed, kept in memory, and renewed before they end. Make it readable for "
                + "the user that Postern runs as, and for nobody else.");
        if (keytab is null)
            return (isWanted, null);
        if (section.Has("kerberos") && !isWanted)
            section.Report("keytab", "a keytab is for Kerberos, which is switched off beside it", "kerberos: true, or that key left out");
        if (section.Has("password"))
            section.Report("password", "keytab and password exclude each other", "one of them");
        if (!File.Exists(keytab))
            section.Report("keytab", $"{keytab} does not exist", "made by 'ktadd -k FILE PRINCIPAL' of kadmin");
        return (true, keytab);
    }

    private static X509Certificate2? ReadCertificate(Section section)
    {
        var file = section.ReadFile(
            "certificate",
            "none",
            "A PEM file with the certificate that this server shows there, for EXTERNAL. Read again when it changes.");
        var key = section.ReadFile("key", "in the file of `certificate`", "A PEM file with its private key, not encrypted.");
        if (file is null)
        {
            if (key is not null)
                section.Report("key", "a key without its certificate cannot be used", "certificate as well");
            return null;
        }

        try
        {
            return X509Certificate2.CreateFromPemFile(file, key ?? file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            section.Report("certificate", $"{file} cannot be used: {e.Message}");
            return null;
        }
    }
}
