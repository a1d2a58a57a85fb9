using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Audit.Onward;

/// <summary>A syslog server: <c>tcp://host:port</c>, or <c>tcp+tls://host:port</c> (RFC 5425), whose certificate has to verify.</summary>
public sealed record SyslogTarget(string Host, int Port, bool IsTls) : LogTarget
{
    /// <summary>Its word in the log.</summary>
    internal const string Word = "syslog";

    private const string Plain = "tcp://";
    private const string Tls = "tcp+tls://";

    /// <summary>What RFC 6587 §3 says is usual.</summary>
    private const int PlainPort = 514;

    /// <summary>RFC 5425 §4.1.</summary>
    private const int TlsPort = 6514;

    /// <summary>This machine, as messages name it (RFC 5424 §6.2.4); <c>-</c> where it is not known.</summary>
    public string Hostname { get; init; } = "-";

    /// <summary>Authorities for the server's certificate; null for those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>What may be on the way when it breaks: sent this long ago, it has got there.</summary>
    internal TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(30);

    internal override string Name => Word;

    /// <summary>Reads what a configuration says.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SyslogTarget? target)
    {
        target = null;
        var isTls = text.StartsWith(Tls, StringComparison.OrdinalIgnoreCase);
        if (!isTls && !text.StartsWith(Plain, StringComparison.OrdinalIgnoreCase))
            return false;
        // The schemes are of no known kind, and have no port of their own.
        if (!Uri.TryCreate($"tcp://{text[(isTls ? Tls : Plain).Length..]}", UriKind.Absolute, out var uri)
            || uri is not { Host.Length: > 0, UserInfo.Length: 0, PathAndQuery: "/" or "", Fragment.Length: 0 })
            return false;
        target = new SyslogTarget(uri.IdnHost, uri.Port > 0 ? uri.Port : isTls ? TlsPort : PlainPort, isTls);
        return true;
    }

    public override string ToString() =>
        $"{(IsTls ? Tls : Plain)}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    internal override async ValueTask<LogChannel> OpenAsync(CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(Host, Port, ct);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (IsTls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(Options(), ct);
            }

            return new SyslogChannel(socket, stream, Hostname, Settling);
        }
        catch (Exception e)
        {
            if (stream is not null)
                await stream.DisposeAsync();
            socket.Dispose();
            throw e switch
            {
                // Ours says what is wrong with a certificate; the platform's has the reason inside.
                AuthenticationException => new IOException(
                    $"the TLS handshake failed, and nothing was sent: {e.InnerException?.Message ?? e.Message}", e),
                SocketException => new IOException($"it cannot be connected to: {e.Message}", e),
                _ => e,
            };
        }
    }

    private SslClientAuthenticationOptions Options()
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = Host,
            CertificateChainPolicy = new X509ChainPolicy
            {
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        };
        if (Authorities is { } authorities)
        {
            options.CertificateChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }
}
