using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A <c>postern serve</c> that takes the tickets of a <see cref="KerberosRealm"/>; listeners <c>plain</c> (in clear) and <c>submission</c>.</summary>
public sealed class KerberosServer : ServedHome
{
    public const string Account = "lisa@kerberos.test";
    public const string Password = "ticket-to-ride";

    private KerberosRealm? realm;

    internal KerberosRealm Realm => realm!;

    /// <summary>Tickets of <c>lisa@KERBEROS.TEST</c>.</summary>
    public string Tickets { get; private set; } = string.Empty;

    /// <summary>Where the server remembers the tickets that it has seen.</summary>
    internal string ReplayCache => Path.Combine(Home!.Data, "tickets.rcache2");

    public override async ValueTask DisposeAsync()
    {
        if (realm is not null)
            await realm.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override async Task<PosternProcess> StartAsync()
    {
        realm = await KerberosRealm.StartAsync(Directory.FullName);
        foreach (var principal in (string[])["lisa", "bart", "lisa/admin"])
            await realm.AddPrincipalAsync(principal, Password);
        foreach (var service in (string[])["smtp/localhost", "host/localhost"])
            await realm.AddServiceAsync(service);
        Tickets = await realm.LogInAsync("lisa", Password);

        Home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: $"kerberos: {{ keytab: {realm.Keytab}, realms: [{KerberosRealm.Name}] }}"));
        foreach (var account in (string[])[Account, "lisa"])
            (await Home.RunAsync("account", "add", account, "--address", "sender@kerberos.test")).AssertSucceeded();

        // What this process itself does as a client reads the native environment.
        NativeEnvironment.Set("KRB5_CONFIG", realm.ConfigFile);
        NativeEnvironment.Set("KRB5CCNAME", $"FILE:{Tickets}");
        // The system's place for the replay cache is none: what the server needs it keeps with its data.
        return await Home.ServeAsync(environment: new Dictionary<string, string>(realm.Environment(), StringComparer.Ordinal) { ["KRB5RCACHENAME"] = "file2:/proc/none/rcache2" });
    }
}
