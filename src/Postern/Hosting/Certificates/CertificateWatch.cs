using System.Collections.Immutable;
using System.Security.Cryptography;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Machine;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Hosting.Certificates;

/// <summary>
/// Shows what is in the certificate files while the server runs. It reads them every few seconds, so that a rename, a symbolic link set
/// anew and an overwritten file are all the same to it, and acts when two looks in a row saw the same change: certificate and key are
/// rarely replaced in one moment. Files that cannot be used change nothing but the log.
/// </summary>
internal sealed class CertificateWatch : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);
    private static readonly TimeSpan Reminder = TimeSpan.FromDays(1);

    private readonly PosternConfiguration configuration;
    private readonly ServerTls tls;
    private readonly IAuditLog audit;
    private readonly Action<string> note;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock looking = new();
    private ImmutableArray<CertificateOutcome.Loaded> shown;
    private string known;
    private string seen;
    private DateTimeOffset reminded = DateTimeOffset.MinValue;

    /// <param name="shown">What <paramref name="tls"/> was made of.</param>
    /// <param name="digest">
    /// Of the files, taken before they were read (<see cref="DigestOf"/>): what is written meanwhile is seen as a change.
    /// </param>
    /// <param name="note">Takes each line for people.</param>
    public CertificateWatch(
        PosternConfiguration configuration,
        ServerTls tls,
        ImmutableArray<CertificateOutcome.Loaded> shown,
        string digest,
        IAuditLog audit,
        Action<string> note,
        TimeProvider clock)
    {
        this.configuration = configuration;
        this.tls = tls;
        this.shown = shown;
        this.audit = audit;
        this.note = note;
        this.clock = clock;
        known = seen = digest;
        timer = clock.CreateTimer(static watch => ((CertificateWatch)watch!).Look(), this, Period, Period);
    }

    /// <summary>What is shown now: since the configuration was read, the files may have been replaced.</summary>
    public ImmutableArray<CertificateOutcome.Loaded> Shown
    {
        get
        {
            lock (looking)
                return shown;
        }
    }

    /// <summary>What stands in the files that a configuration names.</summary>
    public static string DigestOf(PosternConfiguration configuration) => FileDigest.Of(configuration.Tls.Files);

    /// <summary>Reads the files now, changed or not: an operator says that they are ready.</summary>
    public void ReadNow()
    {
        lock (looking)
        {
            known = seen = Digest();
            Load();
        }
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void Look()
    {
        lock (looking)
        {
            Remind();
            var digest = Digest();
            var isSettled = digest == seen;
            seen = digest;
            if (!isSettled || digest == known)
                return;
            known = digest;
            Load();
        }
    }

    private void Load()
    {
        try
        {
            TryLoad();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            Tell("certificate_refused", $"{e.Message}; still shown: {Describe(shown)}");
        }
    }

    private void TryLoad()
    {
        if (ServerCertificates.Load(configuration, clock.GetUtcNow(), out var loaded) is { } unusable)
        {
            Tell("certificate_refused", $"{unusable.Key}: {unusable.Problem.What}; still shown: {Describe(shown)}");
            return;
        }

        if (loaded.Select(static l => l.Certificate.Thumbprint).SequenceEqual(shown.Select(static l => l.Certificate.Thumbprint)))
        {
            Tell("certificate_unchanged", Describe(shown));
            return;
        }

        // What was shown is not disposed: a handshake may be under way with it.
        tls.Replace(loaded[0].ToShown(), loaded.Skip(1).Select(ServerCertificates.ToShown));
        shown = loaded;
        reminded = DateTimeOffset.MinValue;
        Tell("certificate_replaced", Describe(shown));
        foreach (var (key, warning) in loaded.SelectMany(static l => l.Warnings.Select(warning => (l.Key, warning))))
            note($"warning: {key}: {warning}");
    }

    private void Remind()
    {
        var now = clock.GetUtcNow();
        if (now - reminded < Reminder)
            return;
        reminded = now;
        foreach (var ending in shown.Where(l => now > new DateTimeOffset(l.Certificate.NotAfter) - Soon))
            Tell("certificate_expiring", $"{ending.Key}: {Describe([ending])}");
    }

    private void Tell(string what, string detail)
    {
        audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));
        note($"{what.Replace('_', ' ')}: {detail}");
    }

    private static string Describe(ImmutableArray<CertificateOutcome.Loaded> certificates) => string.Join(
        "; ",
        certificates.Select(
            static l =>
                $"{l.Certificate.Subject}, serial {l.Certificate.SerialNumber}, "
                    + $"until {TimeText.Format(new DateTimeOffset(l.Certificate.NotAfter).ToUniversalTime())}"));

    private string Digest() => DigestOf(configuration);
}
