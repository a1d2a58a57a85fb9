using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration;

namespace Postern.Hosting;

/// <summary>
/// Whether this machine's OpenSSL speaks the old versions that a listener allows. TLS 1.0 and 1.1 sign with SHA-1, which it forbids at every security
/// level above 0, and nothing in this program can lower the level: the file that OPENSSL_CONF names can. So it is tried.
/// </summary>
internal static class ProtocolFloor
{
#pragma warning disable CA5397, SYSLIB0039 // asked for, not used
    private static readonly (SslProtocols Protocol, string Name)[] Old = [(SslProtocols.Tls, "TLS 1.0"), (SslProtocols.Tls11, "TLS 1.1")];
#pragma warning restore CA5397, SYSLIB0039

    /// <summary>One warning for each version that a listener allows in vain.</summary>
    /// <param name="certificate">The one that listeners show.</param>
    public static async Task<IReadOnlyList<ConfigurationError>> WarnAsync(PosternConfiguration configuration, X509Certificate2 certificate, CancellationToken ct)
    {
        var warnings = new List<ConfigurationError>();
        foreach (var (protocol, name) in Old)
        {
            var isRefused = false;
            for (var i = 0; i < configuration.Listeners.Length; i++)
            {
                if (configuration.Listeners[i].TlsProtocols is not { } spoken || !spoken.HasFlag(protocol))
                    continue;
                isRefused = isRefused || !await CanAsync(protocol, certificate, ct);
                if (!isRefused)
                    break;
                warnings.Add(configuration.ErrorAt(
                    $"listeners[{i}].tls_minimum",
                    $"this machine's OpenSSL refuses {name}, so nobody can speak it here: start postern with OPENSSL_CONF naming a file that says 'MinProtocol = TLSv1' and 'CipherString = DEFAULT@SECLEVEL=0'"));
            }
        }

        return warnings;
    }

    /// <summary>A handshake with itself.</summary>
    private static async Task<bool> CanAsync(SslProtocols protocol, X509Certificate2 certificate, CancellationToken ct)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start(backlog: 1);
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint, ct);
        using var far = await listener.AcceptTcpClientAsync(ct);
#pragma warning disable CA5359 // it is our own
        await using var client = new SslStream(near.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
        await using var server = new SslStream(far.GetStream());
        var sides = await Task.WhenAll(
            SucceedsAsync(client, client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = protocol, CertificateChainPolicy = NothingFetched() }, ct)),
            SucceedsAsync(server, server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true), EnabledSslProtocols = protocol }, ct)));
        return Array.TrueForAll(sides, static succeeded => succeeded);
    }

    private static X509ChainPolicy NothingFetched() => new() { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };

    /// <summary>A side that fails leaves, so that the other does not wait for it.</summary>
    private static async Task<bool> SucceedsAsync(SslStream side, Task handshake)
    {
        try
        {
            await handshake;
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or ObjectDisposedException)
        {
            await side.DisposeAsync();
            return false;
        }
    }
}
