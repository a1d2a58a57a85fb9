using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Smtp.Transport;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Hosting;

/// <summary>The certificates a server shows: the configured ones, or its own.</summary>
internal static class ServerCertificates
{
    /// <summary>True where some listener shows one.</summary>
    public static bool IsNeeded(PosternConfiguration configuration) => configuration.Listeners.Any(static l => l.Tls != TlsMode.None);

    /// <summary>Loads all of them, or says which cannot be used.</summary>
    /// <param name="certificates">The one for clients that ask for no name comes first.</param>
    /// <param name="made">A self-signed one was made now.</param>
    public static CertificateOutcome.Unusable? Load(PosternConfiguration configuration, DateTimeOffset now, out ImmutableArray<CertificateOutcome.Loaded> certificates, out bool made)
    {
        var loaded = ImmutableArray.CreateBuilder<CertificateOutcome.Loaded>();
        made = false;
        certificates = [];
        var outcomes = Configured(configuration, now);
        if (configuration.Tls.CertificateFile is null)
        {
            var (data, hostname) = (configuration.Server.Data, configuration.Server.Hostname.Text);
            outcomes = outcomes.Prepend(SelfSignedCertificate.LoadOrCreate(data, hostname, now, isRsa: true, out _)).Prepend(SelfSignedCertificate.LoadOrCreate(data, hostname, now, isRsa: false, out made));
        }

        foreach (var outcome in outcomes)
        {
            if (outcome is CertificateOutcome.Unusable unusable)
                return unusable;
            loaded.Add((CertificateOutcome.Loaded)outcome);
        }

        certificates = loaded.ToImmutable();
        return null;
    }

    /// <summary>What comes of each pair of files that the configuration names, in its order.</summary>
    public static IEnumerable<CertificateOutcome> Configured(PosternConfiguration configuration, DateTimeOffset now)
    {
        var tls = configuration.Tls;
        if (tls is { CertificateFile: { } certificate, KeyFile: { } key })
            yield return CertificateFiles.Load(certificate, key, configuration.Server.Hostname.Text, now);
        for (var i = 0; i < tls.Additional.Length; i++)
            yield return CertificateFiles.Load(tls.Additional[i].CertificateFile, tls.Additional[i].KeyFile, hostname: null, now, $"tls.additional[{i}]");
    }

    public static TlsCertificate ToShown(this CertificateOutcome.Loaded loaded) => new(loaded.Certificate, loaded.Chain);

    public static ServerTls ToTls(this ImmutableArray<CertificateOutcome.Loaded> certificates, PosternConfiguration configuration) =>
        new(certificates[0].ToShown(), certificates.Skip(1).Select(ToShown), configuration.Tls.Protocols);
}
