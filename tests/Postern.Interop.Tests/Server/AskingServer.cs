using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Interop.Tests.Server;

/// <summary>A mail server that has its logins checked by Postern, started once for the tests of a class.</summary>
public abstract class AskingServer : IAsyncLifetime
{
    private static readonly SmtpClientOptions Options = new()
    {
        Hostname = Domain.Parse("client.test"),
        ServerName = "localhost",
        Tls = ClientTls.Required,
        VerifyCertificate = static (_, presented, _, _) => presented!.GetCertHashString() == TestCertificate.Instance.GetCertHashString(),
    };

    internal AskedPostern Postern { get; private set; } = null!;

    protected DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("pst");

    protected string CertificateFile => Path.Combine(Directory.FullName, "certificate.pem");

    protected string KeyFile => Path.Combine(Directory.FullName, "key.pem");

    protected abstract bool IsInstalled { get; }

    protected abstract int Port { get; }

    /// <summary>Skips the test where the server cannot be had.</summary>
    public abstract void Require();

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || !IsInstalled)
            return;
        try
        {
            await File.WriteAllTextAsync(CertificateFile, TestCertificate.Instance.ExportCertificatePem());
            await File.WriteAllTextAsync(KeyFile, TestCertificate.Instance.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            Postern = await AskedPostern.StartAsync(await PrepareAsync());
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
        await StopAsync();
        if (Postern is not null)
            await Postern.DisposeAsync();
        Directory.Refresh();
        if (Directory.Exists)
            Directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A login over TLS by this mechanism.</summary>
    public async Task<ClientLoginAnswer> LogInAsync(string mechanism, string user, string password)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port));
        await using var dialogue = new SmtpClientDialogue(new NetworkStream(socket, ownsSocket: false), Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        var credentials = new SaslClientCredentials { User = user, Password = new Secret(password) };
        return await dialogue.LogInAsync(new ClientLogin(credentials) { Mechanisms = [mechanism] }, CancellationToken.None);
    }

    /// <summary>The first answer of this kind: a file that is a store is looked at once a second.</summary>
    public async Task<ClientLoginAnswer> LogInUntilAsync<T>(string mechanism, string user, string password)
        where T : ClientLoginAnswer
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (await LogInAsync(mechanism, user, password) is T found)
                return found;
            late.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The listener of its page, for this machine.</summary>
    protected abstract Task<string> PrepareAsync();

    protected abstract Task StartAsync();

    protected abstract ValueTask StopAsync();
}
