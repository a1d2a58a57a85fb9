using System.Net.Security;
using System.Security.Authentication;
using System.Text;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// Gives the handshakes of one listener ciphers of its own. The runtime's way (<see cref="CipherSuitesPolicy"/>) has neither DHE nor a
/// security level, and ends the resumption of sessions. So OpenSSL's context, which the runtime keeps for a certificate and a set of
/// versions, is told the list after a handshake of this process with itself. Before that another handshake proves that it is not the
/// context of listeners that asked for nothing, and after it a third that the runtime keeps it. Where any of this fails, the runtime's way
/// is taken.
/// </summary>
internal static class CipherGrant
{
    private const int SetDhAuto = 118;
    private const int MarkShift = 20;

    private static readonly string[] ModernNames =
    [
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256",
    ];

    private static readonly string[] CompatibleNames =
    [
        .. ModernNames, "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES256-SHA256",
        "DHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES256-SHA",
        "DHE-RSA-AES128-SHA",
        "AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA256", "AES256-SHA", "AES128-SHA",
    ];

    private static readonly string[] LegacyNames =
    [
        .. CompatibleNames,
        "ECDHE-ECDSA-DES-CBC3-SHA",
        "ECDHE-RSA-DES-CBC3-SHA",
        "DHE-RSA-DES-CBC3-SHA",
        "DES-CBC3-SHA",
    ];

    private static readonly Lazy<nint?> ContextOf = new(static () => OpenSslLibrary.Function("SSL_get_SSL_CTX"));
    private static readonly Lazy<nint?> SetList = new(static () => OpenSslLibrary.Function("SSL_CTX_set_cipher_list"));
    private static readonly Lazy<nint?> Control = new(static () => OpenSslLibrary.Function("SSL_CTX_ctrl"));

    /// <summary>OpenSSL's names, in the order of our preference.</summary>
    public static IReadOnlyList<string> NamesOf(TlsCiphers ciphers) => ciphers switch
    {
        TlsCiphers.Legacy => LegacyNames,
        TlsCiphers.Compatible => CompatibleNames,
        _ => ModernNames,
    };

    /// <summary>True when <paramref name="options"/> take these ciphers from now on; else they have the runtime's policy.</summary>
    public static async Task<bool> GiveAsync(SslServerAuthenticationOptions options, TlsCiphers ciphers)
    {
        var versions = options.EnabledSslProtocols;
        if (await HandshakeAsync(options, Context).ConfigureAwait(false) is { } common)
        {
            options.EnabledSslProtocols = versions | Mark(ciphers);
            if (await HandshakeAsync(options, ssl => Context(ssl) == common ? 0 : Give(ssl, ciphers)).ConfigureAwait(false) is { } own
                && await HandshakeAsync(options, Context).ConfigureAwait(false) == own)
                return true;
        }

        options.EnabledSslProtocols = versions;
        if (!OperatingSystem.IsWindows())
            options.CipherSuitesPolicy = new CipherSuitesPolicy(PolicyOf(ciphers));
        return false;
    }

    /// <summary>
    /// The runtime keeps one context for each certificate and set of versions: a bit that is no version gives these listeners their own,
    /// and changes nothing else.
    /// </summary>
#pragma warning disable CA5397 // no version at all
    private static SslProtocols Mark(TlsCiphers ciphers) => (SslProtocols)(((int)ciphers + 1) << MarkShift);
#pragma warning restore CA5397

    /// <summary>IANA names, for the runtime's way: all of ours that it can do.</summary>
    internal static IEnumerable<TlsCipherSuite> PolicyOf(TlsCiphers ciphers) =>
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        .. NamesOf(ciphers).Select(IanaName).Where(static name => Enum.IsDefined(typeof(TlsCipherSuite), name))
            .Select(Enum.Parse<TlsCipherSuite>),
    ];

    /// <summary><c>ECDHE-RSA-AES256-SHA</c> is <c>TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA</c>.</summary>
    private static string IanaName(string name)
    {
        string[] parts = name.Split('-');
        var exchange = parts[0] is "ECDHE" or "DHE" ? $"{parts[0]}_{parts[1]}" : "RSA";
        var cipher = string.Join('_', parts[0] is "ECDHE" or "DHE" ? parts[2..] : parts)
            .Replace("AES256", "AES_256", StringComparison.Ordinal).Replace("AES128", "AES_128", StringComparison.Ordinal)
            .Replace("DES_CBC3", "3DES_EDE_CBC", StringComparison.Ordinal);
        if (cipher.EndsWith("POLY1305", StringComparison.Ordinal))
            cipher += "_SHA256";
        else if (!cipher.Contains("GCM", StringComparison.Ordinal) && !cipher.Contains("CBC", StringComparison.Ordinal))
            cipher = cipher.Insert(cipher.LastIndexOf("_SHA", StringComparison.Ordinal), "_CBC");
        return $"TLS_{exchange}_WITH_{cipher}";
    }

    /// <summary>The context that took the list; 0 when it did not.</summary>
    private static unsafe nint Give(nint ssl, TlsCiphers ciphers)
    {
        var list = Encoding.ASCII.GetBytes(
            string.Join(':', NamesOf(ciphers)) + (ciphers == TlsCiphers.Legacy ? ":@SECLEVEL=0\0" : ":@SECLEVEL=2\0"));
        var context = Context(ssl);
        if (context == 0 || SetList.Value is not { } set || Control.Value is not { } control)
            return 0;
        fixed (byte* text = list)
        {
            return ((delegate* unmanaged<nint, byte*, int>)set)(context, text) == 1
                && (ciphers == TlsCiphers.Modern
                    || ((delegate* unmanaged<nint, int, nint, void*, nint>)control)(context, SetDhAuto, 1, null) == 1) ? context : 0;
        }
    }

    private static unsafe nint Context(nint ssl) => ContextOf.Value is { } function ? ((delegate* unmanaged<nint, nint>)function)(ssl) : 0;

    /// <summary>
    /// Of this process with itself, by a client that takes what it is shown; null when it fails, or what is looked at is not there.
    /// </summary>
    /// <param name="isSeen">The connection itself must be there to be looked at.</param>
    internal static async Task<nint?> HandshakeAsync(SslServerAuthenticationOptions options, Func<nint, nint> look, bool isSeen = true)
    {
        await using var own = await OwnHandshake.TryAsync(options).ConfigureAwait(false);
        return own is null ? null : !isSeen ? 1 : OpenSslLibrary.With(own.Server, look) is not 0 and var seen ? seen : null;
    }
}
