using System.Security.Cryptography.X509Certificates;
using Postern.Interop.Tests.Server;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

[assembly: AssemblyFixture(typeof(PosternServer))]

namespace Postern.Interop.Tests.Server;

/// <summary>
/// One <c>postern serve</c> for all tests of the assembly, which relays to two sinks: a scripted one, and Postfix's smtp-sink where it is
/// installed. Each test sends to a recipient of its own.
/// </summary>
public sealed class PosternServer : IAsyncLifetime
{
    public const string Hostname = "postern.test";
    public const string User = "interop";
    public const string Sender = "sender@interop.test";

    /// <summary>With what breaks careless quoting in a command line, a URL or a table.</summary>
    public const string Password = "correct: horse/+=%41 &$1";

    public const string WrongPassword = "incorrect horse";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-interop-");
    private readonly X509Certificate2 certificate = TestCertificate.Instance;
    private readonly ScriptedSink sink = new();
    private readonly Mailbag mailbag = new();
    private readonly CancellationTokenSource stopping = new();
    private Task collecting = Task.CompletedTask;
    private PosternHome? home;
    private PosternProcess? process;

    /// <summary>Null where smtp-sink is not installed.</summary>
    internal SmtpSinkProcess? SmtpSink { get; private set; }

    /// <summary>PEM; the server's own certificate, which clients must trust.</summary>
    public string CertificateFile => Path.Combine(directory.FullName, "certificate.pem");

    public static string NewRecipient() => $"{Guid.NewGuid():N}@sink.test";

    public int Port(Way way) => process![way == Way.Implicit ? "submissions" : "submission"].Port;

    /// <summary>The port of any listener of the configuration.</summary>
    public int Port(string listener) => process![listener].Port;

    /// <summary>The first line of the log, past or to come, with all of these texts.</summary>
    public Task<string> LoggedAsync(params string[] texts) =>
        process!.Output.FindAsync(line => Array.TrueForAll(texts, text => line.Contains(text, StringComparison.Ordinal))).WaitAsync(Patience);

    /// <summary>The message that arrives for <paramref name="recipient"/>.</summary>
    public Task<SinkMessage> MessageForAsync(string recipient) => mailbag.MessageForAsync(recipient);

    /// <summary>Completes when the server has logged that the next hop took the message for <paramref name="recipient"/>.</summary>
    public Task DeliveredAsync(string recipient) =>
        LoggedAsync("\"event\":\"delivery\"", $"\"recipient\":\"{recipient}\"", "\"outcome\":\"delivered\"");

    /// <summary>What programs call in the place of <c>sendmail</c>, as a command line.</summary>
    internal string SendmailCommand => $"{Program} sendmail --config {home!.ConfigFile}";

    /// <summary>Where it leaves mail.</summary>
    internal string Drop => Path.Combine(home!.Data, "drop");

    /// <summary>The executable.</summary>
    internal static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "postern");

    /// <summary>A new directory, gone with the server.</summary>
    public string NewDirectory() => directory.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;

    public async Task<string> NewFileAsync(string name, byte[] content)
    {
        var path = Path.Combine(NewDirectory(), name);
        await File.WriteAllBytesAsync(path, content);
        return path;
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            await StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await process.StopAsync();
            await process.DisposeAsync();
        }

        home?.Dispose();
        if (SmtpSink is not null)
            await SmtpSink.DisposeAsync();
        await stopping.CancelAsync();
        await collecting;
        await sink.DisposeAsync();
        stopping.Dispose();
        directory.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        await File.WriteAllTextAsync(CertificateFile, certificate.ExportCertificatePem());
        var key = Path.Combine(directory.FullName, "key.pem");
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        SmtpSink = await SmtpSinkProcess.StartAsync(NewDirectory());
        home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), Configuration(key));
        (await home.RunAsync("account", "add", User, "--address", Sender)).AssertSucceeded();
        (await home.RunWithInputAsync(Password + "\n", "credential", "add", User, "--password-stdin")).AssertSucceeded();
        process = await home.ServeAsync();
        collecting = mailbag.CollectAsync(sink, stopping.Token);
    }

    private string Configuration(string key) => $"""
        server:
          hostname: {Hostname}
          data: data
        tls:
          certificate: {CertificateFile}
          key: {key}
        login_protection:
          exempt: [127.0.0.0/8]
        listeners:
          - name: submission
            listen: ["127.0.0.1:0"]
            tls: starttls
            xforward_from: [127.0.0.1/32]
          - name: submissions
            listen: ["127.0.0.1:0"]
            tls: implicit
          - name: proxied
            listen: ["127.0.0.1:0"]
            tls: starttls
            proxy_from: [127.0.0.1/32]
          - name: filtered
            listen: ["127.0.0.1:0"]
            tls: starttls
            xclient_from: [127.0.0.1/32]
        delivery:
          routes:
            - to: smtp-sink.test
              via: "smtp://127.0.0.1:{SmtpSink?.Port ?? sink.Port}"
            - to: "*"
              via: "smtp://127.0.0.1:{sink.Port}"
        """;
}
