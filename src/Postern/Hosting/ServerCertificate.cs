using Postern.Configuration;
using Postern.Smtp.Transport;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Hosting;

/// <summary>The certificate a server starts with: the configured one, or its own.</summary>
internal static class ServerCertificate
{
    /// <summary>True where some listener shows it.</summary>
    public static bool IsNeeded(PosternConfiguration configuration) => configuration.Listeners.Any(static l => l.Tls != TlsMode.None);

    /// <param name="made">A self-signed one was made now.</param>
    public static CertificateOutcome Load(PosternConfiguration configuration, DateTimeOffset now, out bool made)
    {
        made = false;
        var hostname = configuration.Server.Hostname.Text;
        return configuration.Tls is { CertificateFile: { } certificate, KeyFile: { } key }
            ? CertificateFiles.Load(certificate, key, hostname, now)
            : SelfSignedCertificate.LoadOrCreate(configuration.Server.Data, hostname, now, out made);
    }

    public static ServerTls ToTls(this CertificateOutcome.Loaded loaded, PosternConfiguration configuration) =>
        new(loaded.Certificate, loaded.Chain, configuration.Tls.Protocols);
}
