using System.Net.Security;
using System.Security.Authentication;
using Postern.Configuration;

namespace Postern.Hosting;

/// <summary>
/// Whether this machine's OpenSSL speaks the old versions that a listener allows. It forbids TLS 1.0 and 1.1 at every security level above 0, and
/// nothing in this program can lower the level: the file that OPENSSL_CONF names can.
/// </summary>
internal static class ProtocolFloor
{
#pragma warning disable CA5397, SYSLIB0039 // asked for, not used
    private static readonly (SslProtocols Protocol, string Name)[] Old = [(SslProtocols.Tls, "TLS 1.0"), (SslProtocols.Tls11, "TLS 1.1")];
#pragma warning restore CA5397, SYSLIB0039

    /// <summary>One warning for each listener with a floor that cannot be had.</summary>
    public static async Task<IReadOnlyList<ConfigurationError>> WarnAsync(PosternConfiguration configuration, CancellationToken ct)
    {
        var warnings = new List<ConfigurationError>();
        for (var i = 0; i < configuration.Listeners.Length; i++)
        {
            foreach (var (protocol, name) in Old)
            {
                if (configuration.Listeners[i].TlsProtocols is { } spoken && spoken.HasFlag(protocol) && !await CanAsync(protocol, ct))
                {
                    warnings.Add(configuration.ErrorAt(
                        $"listeners[{i}].tls_minimum",
                        $"this machine's OpenSSL refuses {name}, so nobody can speak it here: start postern with OPENSSL_CONF naming a file with 'CipherString = DEFAULT@SECLEVEL=0'"));
                }
            }
        }

        return warnings;
    }

    /// <summary>A client that may speak nothing else says hello, or is told by OpenSSL that there is no such version.</summary>
    private static async Task<bool> CanAsync(SslProtocols protocol, CancellationToken ct)
    {
        var wire = new MemoryStream();
        await using var client = new SslStream(wire);
        try
        {
            await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = protocol }, ct);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // Nobody answers; what counts is whether anything was said.
        }

        return wire.Length > 0;
    }
}
