using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Interop.Tests.Server;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix;

/// <summary>
/// One <c>postern serve</c> with every mechanism on offer and a user for each way to keep one. When it has ended, no secret of the
/// matrix may stand in what it has said or written.
/// </summary>
public sealed class MatrixServer : IAsyncLifetime
{
    public const string Hostname = "mail.matrix.test";

    /// <summary>Of all stores: clients take the first that is offered, or one that they were told of.</summary>
    public const string Realm = "matrix.test";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-matrix-");
    private readonly X509Certificate2 certificate = TestCertificate.Instance;
    private readonly string password = Secret.Generate().Reveal();
    private readonly ConcurrentDictionary<Kept, string> generated = [];
    private readonly string wrongPassword = Secret.Generate().Reveal();
    private readonly TokenMint mint = new();
    private readonly TokenMint forger = new();
    private readonly Dictionary<string, string> opaque = [];
    private readonly HashSet<string> secrets = [];
    private readonly ChannelBindings channel;
    private IntrospectionServer? introspection;
    private PosternHome? home;
    private PosternProcess? process;

    public MatrixServer()
    {
        channel = new((ChannelBindingType.TlsServerEndPoint, SHA256.HashData(certificate.RawData)));
        foreach (var name in (string[])[Kept.TokenAsked.User, Kept.TokenAsked.Stranger])
            opaque.Add(Secret.Generate().Reveal(), name);
    }

    /// <summary>PEM; the server's own certificate, which clients must trust.</summary>
    public string CertificateFile => Path.Combine(directory.FullName, "certificate.pem");

    private string PasswordFile => Path.Combine(directory.FullName, "passwd");

    private string DigestFile => Path.Combine(directory.FullName, "digest");

    private string KeySetFile => Path.Combine(directory.FullName, "jwks.json");

    public int Port(string listener) => process![listener].Port;

    public async Task<string> NewFileAsync(string name, byte[] content)
    {
        var path = Path.Combine(directory.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName, name);
        await File.WriteAllBytesAsync(path, content);
        return path;
    }

    /// <summary>A dialogue over TLS, where <paramref name="mechanism"/> is on offer.</summary>
    public async Task<SmtpDialogue> ConnectAsync(string mechanism)
    {
        var dialogue = await SmtpDialogue.GreetAsync(process![IsBound(mechanism) ? "bound" : "every"]);
        try
        {
            await dialogue.StartTlsAsync();
            return dialogue;
        }
        catch
        {
            await dialogue.DisposeAsync();
            throw;
        }
    }

    internal Login Right(MatrixRow row) => Note(new(row.Mechanism, row.Kept.User, Login.TakesToken(row.Mechanism) ? Token(row.Kept, row.Kept.User) : generated.GetValueOrDefault(row.Kept, password)));

    internal Login Wrong(MatrixRow row) => Note(new(row.Mechanism, row.Kept.User, Login.TakesToken(row.Mechanism) ? Forged(row.Kept) : wrongPassword));

    internal Login Unknown(MatrixRow row) => Note(new(row.Mechanism, row.Kept.Stranger, Login.TakesToken(row.Mechanism) ? Token(row.Kept, row.Kept.Stranger) : password));

    /// <summary>The same for the library's own client.</summary>
    internal SaslClientCredentials Credentials(Login login) => new()
    {
        User = login.User,
        Password = login.IsToken ? null : new Secret(login.Secret),
        Token = login.IsToken ? new Secret(login.Secret) : null,
        Host = Hostname,
        Port = Port("every"),
        Realm = Realm,
        Channel = IsBound(login.Mechanism) ? channel : null,
    };

    /// <summary>How many logins by <paramref name="mechanism"/> the log has.</summary>
    internal int CountLogins(string mechanism) => process!.Output.Lines.Count(line => AuditedLogin.IsLine(line, mechanism));

    /// <summary>Those behind the first <paramref name="skipped"/>, when there are <paramref name="count"/> of them.</summary>
    internal async Task<ImmutableArray<AuditedLogin>> LoginsAsync(string mechanism, int skipped, int count)
    {
        var seen = 0;
        await process!.Output.FindAsync(line => AuditedLogin.IsLine(line, mechanism) && ++seen == skipped + count).WaitAsync(Patience);
        return [.. process.Output.Lines.Where(line => AuditedLogin.IsLine(line, mechanism)).Skip(skipped).Select(AuditedLogin.Parse)];
    }

    /// <summary>Fails where a secret that was used so far stands in what the server has said.</summary>
    internal void AssertSaidNoSecret() => Assert.Null(SecretTrace.Find(System.Text.Encoding.UTF8.GetBytes(process!.Output.Text + process.Error.Text), Secrets()));

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
        try
        {
            if (process is not null)
            {
                await process.StopAsync();
                await process.DisposeAsync();
                AssertSaidNoSecret();
                AssertWroteNoSecret();
            }
        }
        finally
        {
            home?.Dispose();
            if (introspection is not null)
                await introspection.DisposeAsync();
            mint.Dispose();
            forger.Dispose();
            directory.Delete(recursive: true);
        }
    }

    private static bool IsBound(string mechanism) => mechanism.EndsWith("-PLUS", StringComparison.Ordinal);

    /// <summary>The database must have the shared secret, and nothing else may.</summary>
    private void AssertWroteNoSecret()
    {
        foreach (var file in Directory.GetFiles(home!.Data, "*", SearchOption.AllDirectories))
        {
            if (!file.StartsWith(home.DirectoryFile, StringComparison.Ordinal) && SecretTrace.Find(File.ReadAllBytes(file), Secrets()) is { } trace)
                Assert.Fail($"{file} holds {trace}");
        }
    }

    private string[] Secrets()
    {
        lock (secrets)
            return [.. secrets, IntrospectionServer.ClientSecret];
    }

    private Login Note(Login login)
    {
        lock (secrets)
            secrets.Add(login.Secret);
        return login;
    }

    private string Token(Kept kept, string user) =>
        kept == Kept.TokenAsked ? opaque.First(entry => entry.Value == user).Key : mint.Sign(user, kept == Kept.TokenRs256 ? "RS256" : "ES256");

    /// <summary>Signed with the keys of another, or known to nobody.</summary>
    private string Forged(Kept kept) => kept == Kept.TokenAsked ? wrongPassword : forger.Sign(kept.User, kept == Kept.TokenRs256 ? "RS256" : "ES256");

    private async Task StartAsync()
    {
        await File.WriteAllTextAsync(CertificateFile, certificate.ExportCertificatePem());
        var key = Path.Combine(directory.FullName, "key.pem");
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(KeySetFile, mint.KeySet());
        await File.WriteAllLinesAsync(PasswordFile, new[] { Kept.File, Kept.TokenEs256, Kept.TokenRs256, Kept.TokenAsked }.Select(kept => $"{kept.User}:{password}"));
        foreach (var file in (string[])[key, PasswordFile])
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        introspection = new IntrospectionServer(opaque);
        home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), Configuration(key));
        await Task.WhenAll(AddToDirectoryAsync(), AddToFilesAsync());
        process = await home.ServeAsync();
    }

    /// <summary>The usual form with a password that the command makes, the others with one that is typed.</summary>
    private async Task AddToDirectoryAsync()
    {
        foreach (var (kept, form) in ((Kept, string?)[])[(Kept.Directory, null), (Kept.DirectoryDigest, "digest-md5"), (Kept.DirectoryShared, "shared")])
        {
            (await home!.RunAsync("account", "add", kept.User)).AssertSucceeded();
            var added = form is null
                ? await home.RunAsync("credential", "add", kept.User)
                : await home.RunWithInputAsync(password + "\n", "credential", "add", kept.User, "--password-stdin", "--form", form);
            added.AssertSucceeded();
            if (form is null)
                generated[kept] = Printed(added.Output, "secret: ");
        }
    }

    private async Task AddToFilesAsync()
    {
        // The first lines by the program that invented the format, where it is installed.
        if (Peer.Find("htdigest") is { } htdigest)
            (await RunningProgram.RunAsync([htdigest, "-c", DigestFile, Realm, Kept.HtDigest.User], input: $"{password}\n{password}\n")).AssertSucceeded();
        else
            await SetAsync(Kept.HtDigest);
        await SetAsync(Kept.Digest);
        foreach (var (kept, scheme) in ((Kept, string)[])[(Kept.FileSha512, "scram-sha-512"), (Kept.FileSha1, "scram-sha-1")])
        {
            var made = await home!.RunAsync("passwd", PasswordFile, kept.User, "--scheme", scheme, "--generate");
            made.AssertSucceeded();
            generated[kept] = Printed(made.Error, "password: ");
        }

        async Task SetAsync(Kept kept) => (await home!.RunWithInputAsync(password + "\n", "passwd", DigestFile, kept.User, "--realm", Realm)).AssertSucceeded();
    }

    /// <summary>The rest of the line that begins so.</summary>
    private static string Printed(string output, string label) => output.Split('\n').First(line => line.StartsWith(label, StringComparison.Ordinal))[label.Length..];

    private string Configuration(string key) => string.Create(CultureInfo.InvariantCulture, $$"""
        server: { hostname: {{Hostname}}, data: data }
        tls: { certificate: {{CertificateFile}}, key: {{key}} }
        login_protection: { exempt: [127.0.0.0/8] }
        listeners:
          - name: every
            listen: ["127.0.0.1:0"]
            mechanisms: [{{string.Join(", ", MatrixTable.Mechanisms.Where(static name => !IsBound(name)))}}]
          - name: bound
            listen: ["127.0.0.1:0"]
            mechanisms: [{{string.Join(", ", MatrixTable.Mechanisms.Where(static name => name.StartsWith("SCRAM-", StringComparison.Ordinal)))}}]
          - name: xoauth2
            listen: ["127.0.0.1:0"]
            mechanisms: [XOAUTH2]
        accounts:
          - { uri: directory, realm: {{Realm}} }
          - "file://{{PasswordFile}}"
          - { uri: "digest://{{DigestFile}}", realm: {{Realm}} }
        oauth:
          - { issuer: "{{TokenMint.Issuer}}", jwks: "file://{{KeySetFile}}", audience: {{TokenMint.Audience}}, user_claim: {{TokenMint.UserClaim}} }
          - issuer: "{{IntrospectionServer.Issuer}}"
            introspection: "{{introspection!.Address}}"
            client_id: {{IntrospectionServer.ClientId}}
            client_secret: "{{IntrospectionServer.ClientSecret}}"
            audience: {{TokenMint.Audience}}
            user_claim: {{TokenMint.UserClaim}}

        """);
}
