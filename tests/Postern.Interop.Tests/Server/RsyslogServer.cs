using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Debian's rsyslogd, which takes messages over TCP or TLS and writes their parts to a file.</summary>
internal sealed class RsyslogServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/rsyslogd";

    private readonly string directory;
    private readonly bool isTls;
    private RunningProgram? process;

    /// <param name="directory">Gone with the test; holds the configuration and what was received.</param>
    public RsyslogServer(string directory, bool isTls)
    {
        Assert.SkipUnless(File.Exists(Program), "rsyslogd is not installed");
        Assert.SkipUnless(
            !isTls || Directory.GetDirectories("/usr/lib").Any(static place => File.Exists(Path.Join(place, "rsyslog", "lmnsd_gtls.so"))),
            "rsyslog-gnutls is not installed");
        (this.directory, this.isTls) = (directory, isTls);
    }

    public int Port { get; } = ListeningProgram.FreePort();

    /// <summary>Verifies its certificate.</summary>
    public string AuthorityFile => Path.Join(directory, "ca.pem");

    private string Received => Path.Join(directory, "received");

    public async Task StartAsync()
    {
        if (isTls && !File.Exists(AuthorityFile))
        {
            using var authority = TestAuthority.Create("syslog");
            using var certificate = authority.IssueServer(["localhost"], [IPAddress.Loopback]);
            await File.WriteAllTextAsync(AuthorityFile, authority.Certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(Path.Join(directory, "certificate.pem"), certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(Path.Join(directory, "key.pem"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        }

        var configuration = Path.Join(directory, "rsyslog.conf");
        await File.WriteAllTextAsync(configuration, Configuration());
        process = RunningProgram.Start([Program, "-n", "-f", configuration, "-i", Path.Join(directory, "rsyslog.pid")]);
    }

    public async Task StopAsync()
    {
        await process!.DisposeAsync();
        process = null;
    }

    /// <summary>What it has received: priority, host, program, process, id and text of each message.</summary>
    public async Task<string[][]> WaitForAsync(Func<string[][], bool> isEnough)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var last = Array.Empty<string[]>();
        while (await looks.WaitForNextTickAsync(patience.Token))
        {
            last = File.Exists(Received) ? [.. (await File.ReadAllLinesAsync(Received)).Select(static line => line.Split('|', 6))] : [];
            if (isEnough(last))
                return last;
            Assert.False(process!.HasExited, process.Error.ToString());
        }

        return last;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
            await process.DisposeAsync();
    }

    private string Configuration()
    {
        var tls = isTls
            ? $"""
              global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{AuthorityFile}"
                defaultNetstreamDriverCertFile="{Path.Join(directory, "certificate.pem")}"
                defaultNetstreamDriverKeyFile="{Path.Join(directory, "key.pem")}")
              module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
              """
            : "module(load=\"imtcp\")";
        return $"""
            global(workDirectory="{directory}" maxMessageSize="64k")
            {tls}
            input(type="imtcp" port="{Port}" address="127.0.0.1")
            template(name="parts" type="string" string="%pri%|%hostname%|%app-name%|%procid%|%msgid%|%msg%\n")
            action(type="omfile" file="{Received}" template="parts")

            """;
    }
}
