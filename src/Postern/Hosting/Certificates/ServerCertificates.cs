using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Smtp.Transport;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Hosting.Certificates;

/// <summary>The certificates a server shows: the configured ones, or its own.</summary>
internal static class ServerCertificates
{
    /// <summary>True where some listener shows one, or the console does.</summary>
    public static bool IsNeeded(PosternConfiguration configuration) =>
        configuration.Web is { IsTls: true, Listen.IsEmpty: false } || configuration.Listeners.Any(static l => l.Tls != TlsMode.None);

    /// <summary>
    /// What comes of each certificate that a server shows; one that it makes itself comes first where none is configured.
    /// </summary>
    /// <param name="made">A self-signed one was made now.</param>
    public static ImmutableArray<CertificateOutcome> All(PosternConfiguration configuration, DateTimeOffset now, out bool made)
    {
        made = false;
        if (configuration.Tls.CertificateFile is not null)
            return [.. Configured(configuration, now)];
        var (data, hostname) = (configuration.Server.Data, configuration.Server.Hostname.Text);
        return
        [
            OwnCertificate.LoadOrCreate(data, hostname, now, isRsa: false, out made),
            OwnCertificate.LoadOrCreate(data, hostname, now, isRsa: true, out _),
            .. Configured(configuration, now),
        ];
    }

    /// <summary>Loads all of them, or says which cannot be used.</summary>
    /// <param name="certificates">The one for clients that ask for no name comes first.</param>
    public static CertificateOutcome.Unusable? Load(
        PosternConfiguration configuration, DateTimeOffset now, out ImmutableArray<CertificateOutcome.Loaded> certificates)
    {
        var outcomes = All(configuration, now, out _);
        certificates = [.. outcomes.OfType<CertificateOutcome.Loaded>()];
        return outcomes.OfType<CertificateOutcome.Unusable>().FirstOrDefault();
    }

    /// <summary>What comes of each pair of files that the configuration names, in its order.</summary>
    public static IEnumerable<CertificateOutcome> Configured(PosternConfiguration configuration, DateTimeOffset now)
    {
        var tls = configuration.Tls;
        if (tls is { CertificateFile: { } certificate, KeyFile: { } key })
            yield return CertificateFiles.Load(certificate, key, configuration.Server.Hostname.Text, now);
        for (var i = 0; i < tls.Additional.Length; i++)
            yield return CertificateFiles.Load(
                tls.Additional[i].CertificateFile, tls.Additional[i].KeyFile, hostname: null, now, $"tls.additional[{i}]");
    }

    public static TlsCertificate ToShown(this CertificateOutcome.Loaded loaded) => new(loaded.Certificate, loaded.Chain);

    public static ServerTls ToTls(this ImmutableArray<CertificateOutcome.Loaded> certificates, PosternConfiguration configuration) =>
        new(certificates[0].ToShown(), certificates.Skip(1).Select(ToShown), configuration.Tls.Protocols);
}
