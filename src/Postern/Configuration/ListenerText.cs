using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>A listener in one line, in the words of the configuration.</summary>
internal static class ListenerText
{
    public static string Describe(ListenerOptions listener)
    {
        if (listener.AuthService is { } service)
        {
            var places = listener.Endpoints.Select(static e => e.ToString()).Concat(service.Paths.Select(static p => $"unix:{p}"));
            return $"{string.Join(' ', places)}, {AuthServiceOptions.Word}, auth {Word(listener.Auth)}";
        }

        var ciphers = listener.Ciphers == TlsCiphers.Modern
            ? string.Empty
            : $" with {listener.Ciphers.ToString().ToLowerInvariant()} ciphers";
        return $"{string.Join(' ', listener.Endpoints)}, tls {Word(listener.Tls)}{ciphers}, auth {Word(listener.Auth)}";
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
