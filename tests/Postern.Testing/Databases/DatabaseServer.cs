using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing.Processes;

namespace Postern.Testing.Databases;

/// <summary>A database server on loopback in a directory of its own, with one user <c>app</c>, run by a user who is not root.</summary>
/// <param name="runAs">The user that its package has made.</param>
public abstract class DatabaseServer(string name, string runAs) : IAsyncDisposable
{
    public const string User = "app";
    public const string Password = "password-of-the-service";

    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private RunningProgram? server;

    /// <summary>Removed at the end.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory($"postern-{name}-").FullName;

    /// <summary>Of TCP on 127.0.0.1.</summary>
    public int Port { get; private set; }

    /// <summary>A file with the authority of its certificate.</summary>
    public string Authorities => Path.Combine(Folder, "ca.pem");

    protected string CertificateFile => Path.Combine(Folder, "server.crt");

    protected string KeyFile => Path.Combine(Folder, "server.key");

    protected int ProcessId => server!.Id;

    /// <summary>Why it cannot be had here; null where it can.</summary>
    public string? WhyNot() => FindPrograms() is null ? $"{name} is not installed"
        : Environment.IsPrivilegedProcess ? null : "only root can start it as another user";

    /// <summary>Makes its directory and starts it.</summary>
    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Authorities, authority.Certificate.ExportCertificatePem());
        await CertifyAsync();
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await MakeAsync(FindPrograms()!);
        await StartAsync();
    }

    /// <summary>Comes back when it answers.</summary>
    public async Task StartAsync()
    {
        server = RunningProgram.Start([.. AsUser, .. CommandLine(FindPrograms()!)], "/");
        await server.Error.FindAsync(IsReady).WaitAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>Ends it as the machine does when it has no memory left.</summary>
    public async Task KillAsync()
    {
        ProcessTree.Signal(server!.Id, ProcessTree.Kill);
        await server.WaitAsync(TimeSpan.FromSeconds(30));
        await server.DisposeAsync();
        server = null;
        CleanUp();
    }

    /// <summary>It takes connections, for the kernel does, and answers nothing.</summary>
    public void Pause() => ProcessTree.Signal(server!.Id, ProcessTree.Stop);

    public void Continue() => ProcessTree.Signal(server!.Id, ProcessTree.Continue);

    /// <summary>Another certificate, which it shows when it has read its files again.</summary>
    /// <param name="validFor">From yesterday on.</param>
    public async Task CertifyAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        using var certificate = authority.IssueServer(names, addresses, validFor: validFor);
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(CertificateFile, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await OwnAsync();
    }

    /// <summary>The one that it begins with.</summary>
    public Task CertifyAsync() => CertifyAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await KillAsync();
        authority.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Where its programs are; null for nowhere.</summary>
    protected abstract string? FindPrograms();

    /// <summary>Makes its data.</summary>
    protected abstract Task MakeAsync(string programs);

    protected abstract IReadOnlyList<string> CommandLine(string programs);

    protected abstract bool IsReady(string line);

    /// <summary>What a killed one leaves behind.</summary>
    protected virtual void CleanUp()
    {
    }

    protected string PortText => Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>Runs a program as the user of the server, to its end.</summary>
    protected Task RunAsync(params string[] command) => SucceedAsync([.. AsUser, .. command]);

    protected Task OwnAsync() => SucceedAsync(["chown", "-R", runAs, Folder]);

    private string[] AsUser => ["setpriv", $"--reuid={runAs}", $"--regid={runAs}", "--clear-groups", "--"];

    private static async Task SucceedAsync(string[] command)
    {
        var result = await RunningProgram.RunAsync(command, "/");
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)}:\n{result.Output}{result.Error}");
    }
}
