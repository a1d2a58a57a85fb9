using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>An entry of <c>accounts</c> that a service answers over HTTP.</summary>
internal sealed record HttpSource : AccountSource
{
    private HttpSource(AccountSource source, WebAccess access)
        : base(source) => Access = access;

    public WebAccess Access { get; }

    /// <summary>Who checks passwords.</summary>
    public HttpCheck Check { get; private init; }

    /// <summary>What requests are signed with; null where they are not.</summary>
    public Secret? Key { get; private init; }

    /// <summary>A bearer token (RFC 6750); null for none.</summary>
    public Secret? Token { get; private init; }

    /// <summary>In clear to another machine, as somebody has said.</summary>
    public bool IsClearOnPurpose { get; private init; }

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        var read = new HttpSource(source, WebAccess.Read(section))
        {
            Check = section.Word(
                "check",
                [("false", HttpCheck.Here), ("true", HttpCheck.There), ("only", HttpCheck.ThereOnly)],
                HttpCheck.Here,
                "`false`",
                "`false`: the service gives what passwords are checked against. `true`: it is given the password, and says whether it is "
                    + "right; only mechanisms that show it can be used. `only`: the same, and it knows nobody without his password."),
            Key = section.Secret("key", "What requests are signed with (HMAC-SHA-256), at least 16 characters; the service knows it too."),
            Token = section.Secret("token", "What this server shows there, as `Authorization: Bearer`."),
            IsClearOnPurpose = section.Word(
                "tls",
                [("verify", false), ("none", true)],
                fallback: false,
                "`verify`",
                "`none` with `http://` to another machine: passwords go over the network in clear."),
        };
        if (read.Key is { } key && key.Reveal().Length < 16)
            section.Report("key", "it is shorter than 16 characters: openssl rand -base64 32");
        if (read.Token is { } token && token.Reveal().Any(static c => c is <= ' ' or > '~'))
            section.Report("token", "it holds characters that no token has (RFC 6750)");
        if (HttpAddress.Of(source.Uri, out _) is { } address)
        {
            if (address.Scheme == System.Uri.UriSchemeHttp && !HttpAddress.IsHere(address) && !read.IsClearOnPurpose)
                section.Report("uri", "passwords would go to another machine in clear: https://, or the key 'tls: none'");
            if (address.Scheme == System.Uri.UriSchemeHttps && read.IsClearOnPurpose)
                section.Report("tls", "it is for http:// only");
        }

        return read;
    }

    /// <summary>What is wrong with the URI.</summary>
    public static string? WhyNot(AccountSource source) =>
        HttpAddress.Of(source.Uri, out var problem) is null ? $"{problem}; such as https://id.example.org/smtp-auth" : null;

    /// <summary>What an operator should be told.</summary>
    public static IEnumerable<string> Warn(AccountSource source)
    {
        if (source is not HttpSource entry)
            yield break;
        if (entry.Access.WhyNot() is { } unusable)
            yield return unusable;
        if (entry.IsClearOnPurpose)
            yield return "what is asked and answered goes over the network in clear, passwords among it: whoever sees it has them";
        if (entry is { Key: null, Token: null, Access.Certificate: null })
            yield return "the service cannot tell this server from anybody else: 'key', 'token' or 'client_certificate'";
    }
}

/// <summary>Who checks passwords.</summary>
internal enum HttpCheck
{
    /// <summary>This server: the service gives stored forms.</summary>
    Here,

    /// <summary>The service, which also says who is there.</summary>
    There,

    /// <summary>The service, which knows nobody without his password.</summary>
    ThereOnly,
}
