using System.Collections.Immutable;
using Postern.Configuration.Reading;
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
    /// <summary>Those that a user with a password or a token can use.</summary>
    private static readonly Kind<string> Names = Kinds.NameOf(
        "mechanism",
        SaslClientMechanisms.All.Where(static m => m is not (ExternalClient or GssapiClient or AnonymousClient))
            .Select(static m => m.Name));

    public static LoginOptions Read(Section section)
    {
        var user = section.Required("user", Kinds.Text, "The name to log in with.");
        var password = section.Secret(
            "password",
            "For every mechanism but OAUTHBEARER and XOAUTH2: the password itself, `file:PATH` (its one line), "
                + "or `${VARIABLE}` of the environment. PLAIN and LOGIN show it to the server, "
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
        if (!section.Has("password") && !section.Has("token"))
            section.Report("password", "a login without a secret", "password or token");
        if (section.HasEmptyList("mechanisms"))
            section.Report("mechanisms", "without a mechanism there is no login", "at least one, or the key left out");
        return new LoginOptions(user, password, token, section.Has("mechanisms") ? mechanisms : null);
    }

    public ClientLogin ToLogin() =>
        new(new SaslClientCredentials { User = User, Password = Password, Token = Token }) { Mechanisms = Mechanisms };
}
