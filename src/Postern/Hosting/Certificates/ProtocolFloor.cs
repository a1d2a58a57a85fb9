using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration;
using Postern.Smtp.Transport;

namespace Postern.Hosting.Certificates;

/// <summary>
/// Whether this machine lets listeners take what they ask for, and no more. A listener's own ciphers and versions need no configuration of
/// OpenSSL, where OpenSSL can be told; where it cannot, TLS 1.0 and 1.1 sign with SHA-1, which it forbids at every security level above 0.
/// So it is tried.
/// </summary>
internal static class ProtocolFloor
{
#pragma warning disable CA5397, SYSLIB0039 // asked for, not used
    private static readonly (SslProtocols Protocol, string Name)[] Old = [(SslProtocols.Tls, "TLS 1.0"), (SslProtocols.Tls11, "TLS 1.1")];
#pragma warning restore CA5397, SYSLIB0039

    /// <summary>What this machine keeps from a listener that asks for it, and what it gives to all that nobody asked for.</summary>
    /// <param name="certificate">The one that listeners show.</param>
    public static async Task<IReadOnlyList<ConfigurationError>> WarnAsync(PosternConfiguration configuration, X509Certificate2 certificate)
    {
        var warnings = new List<ConfigurationError>();
        var isGiven = new Dictionary<TlsCiphers, bool>();
        var isRefused = new HashSet<SslProtocols>();
        for (var i = 0; i < configuration.Listeners.Length; i++)
        {
            var listener = configuration.Listeners[i];
            if (listener.Tls == TlsMode.None || listener.Ciphers == TlsCiphers.Modern)
                continue;
            if (!isGiven.TryGetValue(listener.Ciphers, out var given))
                isGiven[
                    listener.Ciphers] = given = await MachineCiphers.CanGiveAsync(
                        listener.Ciphers, listener.TlsProtocols ?? configuration.Tls.Protocols, new TlsCertificate(certificate));
            if (given)
                continue;
            warnings.Add(
                configuration.ErrorAt(
                    $"{configuration.KeyOf(i)}.ciphers",
                    "this machine's TLS library could not be told the ciphers of one listener alone: DHE is not taken, "
                        + "and keys and signatures must be as strong as this machine asks for"));
            foreach (var (protocol, name) in Old)
            {
                if (listener.TlsProtocols?.HasFlag(protocol) == true
                    && (isRefused.Contains(protocol) || !await MachineCiphers.CanSpeakAsync(protocol, new TlsCertificate(certificate)))
                    && isRefused.Add(protocol))
                {
                    warnings.Add(configuration.ErrorAt(
                        $"{configuration.KeyOf(i)}.tls_minimum",
                        $"this machine's OpenSSL refuses {name}, so nobody can speak it here: "
                            + $"start postern with OPENSSL_CONF naming a file that says 'MinProtocol = TLSv1' and "
                            + $"'CipherString = DEFAULT@SECLEVEL=0'"));
                }
            }
        }

        if (configuration.Listeners.Any(static l => l.Tls != TlsMode.None) && await IsWidenedAsync())
            warnings.Add(
                configuration.ErrorAt(
                    "listeners",
                    "this machine's OpenSSL configuration (OPENSSL_CONF, or openssl.cnf) takes old ciphers in every program: "
                        + "listeners keep to their own 'ciphers' all the same, and 'legacy' needs no such file"));
        return warnings;
    }

    /// <summary>
    /// Whether a listener that says nothing about ciphers would take those that are not modern. Tried once: what OpenSSL takes does not
    /// change while a process runs.
    /// </summary>
    public static Task<bool> IsWidenedAsync() => Width.Trial;

    /// <summary>Begins when it is first asked for.</summary>
    private static class Width
    {
        public static readonly Task<bool> Trial = Task.Run(TryAsync);

        private static async Task<bool> TryAsync()
        {
            if (OperatingSystem.IsWindows())
                return false;
            using var certificate = OwnCertificate.Make("localhost", TimeProvider.System.GetUtcNow());
            return await MachineCiphers.CanSpeakAsync(
                SslProtocols.Tls12, new TlsCertificate(certificate), [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]);
        }
    }
}
