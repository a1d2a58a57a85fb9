using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>A listener in one line, in the words of the configuration.</summary>
internal static class ListenerText
{
    public static string Describe(ListenerOptions listener)
    {
        var ciphers = listener.Ciphers == TlsCiphers.Modern
            ? string.Empty
            : $" with {listener.Ciphers.ToString().ToLowerInvariant()} ciphers";
        return $"{string.Join(' ', listener.Endpoints)}, tls {Word(listener.Tls)}{ciphers}, auth {Word(listener.Auth)}";
    }

    /// <summary>The mechanisms that clients are offered there, by what the stores can answer now.</summary>
    public static string Offer(PosternConfiguration configuration, ListenerOptions listener)
    {
        if (listener.Auth == AuthMode.Off)
            return string.Empty;
        var sources = configuration.ToAccounts().Sources;
        var offered = listener.Mechanisms ?? MechanismOffer.Usual(sources.Select(static s => AccountStores.Of(s)!.CommonForms(s)));
        var answered = offered.Where(name => configuration.WhyNotAnswered(name) is null && !listener.WithoutMechanisms.Contains(name));
        return $": {string.Join(' ', answered)}";
    }

    public static string Word(TlsMode mode) => mode switch
    {
        TlsMode.None => "none",
        TlsMode.StartTls => "starttls",
        TlsMode.Required => "required",
        TlsMode.Implicit => "implicit",
        _ => mode.ToString(),
    };

    public static string Word(AuthMode mode) => mode switch
    {
        AuthMode.Off => "off",
        AuthMode.TlsOnly => "tls-only",
        AuthMode.Always => "always",
        _ => mode.ToString(),
    };
}
