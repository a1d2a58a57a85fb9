using System.Security.Cryptography.X509Certificates;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Live;
using Postern.Testing;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>A whole server in this process and the file it was started by, which may change under it. Its directory knows one user.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    public const string User = "lisa@example.org";
    public const string Password = "correct horse";
    public const string Listeners = "listeners: [{ name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }]\n";

    private const string Section = "server: { hostname: mail.example.org, data: data }\n";

    private readonly List<string> notes = [];
    private ServerHost? host;

    public CommandRun Run { get; } = new(Section + Listeners);

    public ManualClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>Once it has been started.</summary>
    public ServerHost Host => host!;

    /// <summary>What was said to people so far.</summary>
    public IReadOnlyList<string> Notes
    {
        get
        {
            lock (notes)
                return [.. notes];
        }
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <param name="meanwhile">Done after the configuration was read, and before the server starts by it.</param>
    public async Task StartAsync(string text = Listeners, Action? meanwhile = null)
    {
        await WriteAsync(text);
        await Run.PosternAsync("account", "add", User);
        await Run.WithInputAsync(Password, "credential", "add", User, "--password-stdin");
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(Run.ConfigFile)).Configuration;
        var compiled = Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(configuration, CompileFor.Serving, Clock)).Compiled;
        meanwhile?.Invoke();
        host = await ServerHost.StartAsync(compiled, Run.ConfigFile, events: null, Note, Clock, Cancelled);
    }

    /// <summary>Writes the file; what names no server names this one.</summary>
    public Task WriteAsync(string text) =>
        File.WriteAllTextAsync(Run.ConfigFile, text.StartsWith("server", StringComparison.Ordinal) ? text + Listeners : Section + text, Cancelled);

    /// <summary>Writes the file, and has it taken.</summary>
    public async Task ReloadAsync(string text)
    {
        await WriteAsync(text);
        Assert.Empty((await Host.Live.ReloadAsync(Cancelled)).Errors);
    }

    public int Port(string listener) => Host.Relay.Endpoints.Single(e => e.Listener.Name == listener).Endpoint.Port;

    /// <summary>The pair of files in the run's folder, with a new certificate.</summary>
    public string WriteCertificate(string certificateFile, string keyFile, string name = "mail.example.org") => WriteCertificate(Run.Root, certificateFile, keyFile, name);

    /// <summary>The same in any folder; answers with the serial number.</summary>
    public static string WriteCertificate(string folder, string certificateFile, string keyFile, string name)
    {
        using var certificate = TestCertificate.Create(name);
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(folder, keyFile), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, certificateFile), certificate.ExportCertificatePem());
        File.SetUnixFileMode(Path.Combine(folder, keyFile), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return certificate.SerialNumber;
    }

    /// <summary>A session on the first listener.</summary>
    public Task<SmtpDialogue> ConnectAsync() => SmtpDialogue.GreetAsync(Host.Relay.Endpoints[0].Endpoint);

    /// <summary>What has been told of by now is in the log's files, for a command to read.</summary>
    public ValueTask FlushLogAsync() => Host.Relay.Audit.FlushAsync(Cancelled);

    /// <summary>Moves the clock until it is so.</summary>
    public async Task UntilAsync(Func<bool> isSo)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            Clock.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
            late.Token.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
        Run.Dispose();
    }

    private void Note(string text)
    {
        lock (notes)
            notes.Add(text);
    }
}
