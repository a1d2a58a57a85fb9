using Postern.Configuration;
using Postern.Hosting.Certificates;
using Postern.Relay.Audit.Events;
using Postern.Testing;
using Postern.Tests.Commands;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Tests.Hosting;

/// <summary>Row 24: what is in the certificate files is shown within seconds; what cannot be used changes nothing but the log.</summary>
public sealed class CertificateWatchTests : IAsyncDisposable
{
    private const string Configuration = """
        server: { hostname: mail.example.org, data: data }
        tls:
          certificate: cert.pem
          key: key.pem
          additional:
            - { certificate: more.pem, key: more-key.pem }
        """;

    private readonly CommandRun home = new(Configuration);
    private readonly ManualClock clock = new(TimeProvider.System.GetUtcNow());
    private readonly RunningServer.EventList events = new();
    private readonly List<string> notes = [];
    private readonly ServerTls tls;
    private readonly CertificateWatch watch;

    public CertificateWatchTests()
    {
        Write("cert.pem", "key.pem", "mail.example.org");
        Write("more.pem", "more-key.pem", "smtp.example.net");
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(home.ConfigFile)).Configuration;
        Assert.Null(ServerCertificates.Load(configuration, clock.GetUtcNow(), out var certificates));
        Assert.Equal(2, certificates.Length);
        tls = certificates.ToTls(configuration);
        watch = new CertificateWatch(configuration, tls, certificates, CertificateWatch.DigestOf(configuration), events, notes.Add, clock);
    }

    private IEnumerable<string> Events => events.All.OfType<ServerEvent>().Select(static e => e.Event);

    [Fact]
    public void Replaced_files_are_shown_within_ten_seconds_and_said_once()
    {
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(Events);
        var serial = Write("cert.pem", "key.pem", "mail.example.org");

        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(serial, tls.Certificate.SerialNumber);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["certificate_replaced"], Events);
        Assert.Contains($"serial {serial}, until ", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_set_to_another_directory_is_a_change_as_well()
    {
        var serial = Write("next.pem", "next-key.pem", "mail.example.org");
        Link("next.pem", "cert.pem");
        Link("next-key.pem", "key.pem");

        clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(serial, tls.Certificate.SerialNumber);
    }

    [Fact]
    public void Broken_files_keep_the_old_certificate_and_are_said_once_for_each_change()
    {
        var old = tls.Certificate.SerialNumber;
        File.WriteAllText(Path.Combine(home.Root, "cert.pem"), "-----BEGIN CERTIFICATE-----\nhalf");
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["certificate_refused"], Events);

        Write("cert.pem", "unused.pem", "mail.example.org");
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["certificate_refused", "certificate_refused"], Events);
        Assert.Contains("does not belong to the certificate", notes[^1], StringComparison.Ordinal);
        File.Delete(Path.Combine(home.Root, "more.pem"));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(3, Events.Count());
        Assert.Equal(old, tls.Certificate.SerialNumber);

        Write("more.pem", "more-key.pem", "smtp.example.net");
        var serial = Write("cert.pem", "key.pem", "mail.example.org");
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(serial, tls.Certificate.SerialNumber);
        Assert.Equal("certificate_replaced", Events.Last());
    }

    [Fact]
    public void A_file_that_changes_at_every_look_is_left_until_it_rests()
    {
        var old = tls.Certificate.SerialNumber;
        for (var i = 0; i < 5; i++)
        {
            File.AppendAllText(Path.Combine(home.Root, "cert.pem"), "x");
            clock.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Empty(Events);
        Assert.Equal(old, tls.Certificate.SerialNumber);
    }

    [Fact]
    public void An_operator_who_says_that_they_are_ready_need_not_wait()
    {
        var serial = Write("cert.pem", "key.pem", "mail.example.org");
        watch.ReadNow();
        watch.ReadNow();
        Assert.Equal(serial, tls.Certificate.SerialNumber);
        Assert.Equal(["certificate_replaced", "certificate_unchanged"], Events);
    }

    [Fact]
    public void The_end_of_a_certificate_is_said_once_a_day_from_two_weeks_before()
    {
        Pass(TimeSpan.FromDays(15));
        Assert.Empty(Events);

        // Valid for 30 days: 17.5 are over.
        Pass(TimeSpan.FromDays(2.5));
        Assert.All(Events, static e => Assert.Equal("certificate_expiring", e));
        Assert.InRange(Events.Count(), 2, 4);
        Assert.Contains(notes, static n => n.Contains("tls.additional[0].certificate", StringComparison.Ordinal));
        var before = Events.Count();
        Pass(TimeSpan.FromDays(1));
        Assert.Equal(before + 2, Events.Count());

        // Without the half a million looks that it would take in between.
        void Pass(TimeSpan time)
        {
            clock.Set(time - TimeSpan.FromMinutes(1));
            clock.Advance(TimeSpan.FromMinutes(1));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        home.Dispose();
    }

    private string Write(string certificateFile, string keyFile, string name) => LiveServer.WriteCertificate(home.Root, certificateFile, keyFile, name);

    private void Link(string to, string name)
    {
        var path = Path.Combine(home.Root, name);
        File.CreateSymbolicLink(path + ".new", to);
        File.Move(path + ".new", path, overwrite: true);
    }
}
