using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A <c>postern serve</c> that takes the tickets of a <see cref="KerberosRealm"/>; listeners <c>plain</c> (in clear) and <c>submission</c>.</summary>
public sealed class KerberosServer : IAsyncLifetime
{
    public const string Account = "lisa@kerberos.test";
    public const string Password = "ticket-to-ride";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-kerberos-");
    private KerberosRealm? realm;
    private PosternHome? home;
    private PosternProcess? process;

    internal KerberosRealm Realm => realm!;

    /// <summary>Tickets of <c>lisa@KERBEROS.TEST</c>.</summary>
    public string Tickets { get; private set; } = string.Empty;

    public int Port(string listener) => process![listener].Port;

    /// <summary>The first login in the log, past or to come, with all of these texts.</summary>
    public Task<string> LoginAsync(params string[] texts) =>
        process!.Output.FindAsync(line => line.Contains("\"event\":\"login\"", StringComparison.Ordinal) && Array.TrueForAll(texts, text => line.Contains(text, StringComparison.Ordinal))).WaitAsync(Patience);

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
        if (realm is not null)
            await realm.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        realm = await KerberosRealm.StartAsync(directory.FullName);
        foreach (var principal in (string[])["lisa", "bart", "lisa/admin"])
            await realm.AddPrincipalAsync(principal, Password);
        foreach (var service in (string[])["smtp/localhost", "host/localhost"])
            await realm.AddServiceAsync(service);
        Tickets = await realm.LogInAsync("lisa", Password);

        home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: $"kerberos: {{ keytab: {realm.Keytab}, realms: [{KerberosRealm.Name}] }}"));
        foreach (var account in (string[])[Account, "lisa"])
            (await home.RunAsync("account", "add", account, "--address", "sender@kerberos.test")).AssertSucceeded();
        process = await home.ServeAsync(environment: realm.Environment());

        // What this process itself does as a client reads the native environment.
        NativeEnvironment.Set("KRB5_CONFIG", realm.ConfigFile);
        NativeEnvironment.Set("KRB5CCNAME", $"FILE:{Tickets}");
    }
}
