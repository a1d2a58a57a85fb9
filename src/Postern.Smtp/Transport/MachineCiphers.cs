using System.Net.Security;
using System.Security.Authentication;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Transport;

/// <summary>What this machine lets a listener take.</summary>
public static class MachineCiphers
{
    /// <summary>
    /// Whether a handshake of this process with itself succeeds by this certificate, with what the runtime and this machine take where a
    /// listener says nothing.
    /// </summary>
    public static async Task<bool> CanShowAsync(TlsCertificate certificate) =>
        await CipherGrant.HandshakeAsync(
            new SslServerAuthenticationOptions { ServerCertificateContext = certificate.NewContext(), AllowRenegotiation = false },
            static _ => 1,
            isSeen: false).ConfigureAwait(false) is not null;

    /// <summary>
    /// Whether this machine lets a program speak that version, and one of these suites, where nothing else is asked for: a handshake of
    /// this process with itself succeeds.
    /// </summary>
    /// <param name="suites">What the client knows; null for what the runtime does.</param>
    public static async Task<bool> CanSpeakAsync(
        SslProtocols protocol, TlsCertificate certificate, IReadOnlyList<TlsCipherSuite>? suites = null)
    {
        await using var own = await OwnHandshake.TryAsync(
            new SslServerAuthenticationOptions { ServerCertificateContext = certificate.NewContext(), EnabledSslProtocols = protocol },
            protocol,
            suites).ConfigureAwait(false);
        return own is not null;
    }

    /// <summary>
    /// Whether a listener of these versions takes all that <paramref name="ciphers"/> stands for, found out by handshakes of this process
    /// with itself. Where it is false the listener still takes what the runtime can do for it: neither DHE nor anything that this machine's
    /// security level forbids, such as TLS 1.0 and 1.1.
    /// </summary>
    /// <param name="certificate">One that listeners show.</param>
    public static Task<bool> CanGiveAsync(TlsCiphers ciphers, SslProtocols protocols, TlsCertificate certificate) =>
        CipherGrant.GiveAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.NewContext(),
                EnabledSslProtocols = protocols,
                AllowRenegotiation = false,
            },
            ciphers);
}
