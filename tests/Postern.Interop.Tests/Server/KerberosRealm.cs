using System.Globalization;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A realm of MIT Kerberos with its own KDC on a free loopback port; its files are gone with the directory it was given.</summary>
internal sealed class KerberosRealm : IAsyncDisposable
{
    public const string Name = "KERBEROS.TEST";

    private readonly string directory;
    private RunningProgram? kdc;

    private KerberosRealm(string directory) => this.directory = directory;

    public string ConfigFile => Path.Combine(directory, "krb5.conf");

    public string Keytab => Path.Combine(directory, "service.keytab");

    /// <summary>Skips the test where a program is missing.</summary>
    public static async Task<KerberosRealm> StartAsync(string directory)
    {
        var (program, maker) = (Peer.Require("krb5kdc"), Peer.Require("kdb5_util"));
        var realm = new KerberosRealm(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "kdc.conf"), realm.KdcConfiguration(port: 0));
        await File.WriteAllTextAsync(realm.ConfigFile, ClientConfiguration(port: 0));
        (await realm.RunAsync(maker, "create", "-r", Name, "-P", "master", "-s")).AssertSucceeded();
        (realm.kdc, _) = await ListeningProgram.StartAsync(
            async port =>
            {
                await File.WriteAllTextAsync(Path.Combine(directory, "kdc.conf"), realm.KdcConfiguration(port));
                await File.WriteAllTextAsync(realm.ConfigFile, ClientConfiguration(port));
                return [program, "-n", "-r", Name, "-P", Path.Combine(directory, "kdc.pid")];
            },
            realm.Environment());
        return realm;
    }

    public Task AddPrincipalAsync(string principal, string password) => AdministerAsync($"addprinc -pw {password} {principal}");

    /// <summary>A principal with a random key, which stands in <see cref="Keytab"/> too.</summary>
    public async Task AddServiceAsync(string principal)
    {
        await AdministerAsync($"addprinc -randkey {principal}");
        await AdministerAsync($"ktadd -k {Keytab} {principal}");
    }

    /// <summary>Makes the principal where there is none, with its key in a keytab; the password stays as it is where there is one.</summary>
    public async Task AddToKeytabAsync(string principal, string keytab)
    {
        if (!(await RunAsync(Peer.Require("kadmin.local"), "-r", Name, "-q", $"getprinc {principal}")).Output.Contains("Key: ", StringComparison.Ordinal))
            await AdministerAsync($"addprinc -randkey +requires_preauth {principal}");
        await AdministerAsync($"ktadd -norandkey -k {keytab} {principal}");
    }

    public Task RemovePrincipalAsync(string principal) => AdministerAsync($"delprinc -force {principal}");

    /// <summary>What stands in keytabs is worth nothing any more.</summary>
    public Task ChangeKeyAsync(string principal) => AdministerAsync($"cpw -randkey {principal}");

    /// <summary>How many times the KDC gave a principal its first ticket.</summary>
    public async Task<int> IssuedAsync(string principal)
    {
        var log = Path.Combine(directory, "kdc.log");
        return !File.Exists(log) ? 0
            : (await File.ReadAllLinesAsync(log)).Count(line => line.Contains("AS_REQ", StringComparison.Ordinal) && line.Contains("ISSUE", StringComparison.Ordinal) && line.Contains($" {principal}@{Name}", StringComparison.Ordinal));
    }

    /// <summary>The file of a ticket cache in which the principal has proven its password.</summary>
    public async Task<string> LogInAsync(string principal, string password)
    {
        var cache = Path.Combine(directory, Guid.NewGuid().ToString("N"));
        (await RunningProgram.RunAsync([Peer.Require("kinit"), principal], input: password + "\n", environment: Environment(cache))).AssertSucceeded();
        return cache;
    }

    /// <param name="cache">Null for one without tickets.</param>
    public IReadOnlyDictionary<string, string> Environment(string? cache = null) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["KRB5_CONFIG"] = ConfigFile,
        ["KRB5_KDC_PROFILE"] = Path.Combine(directory, "kdc.conf"),
        ["KRB5CCNAME"] = $"FILE:{cache ?? Path.Combine(directory, "none")}",
        ["KRB5RCACHENAME"] = $"file2:{Path.Combine(directory, "replays")}",
    };

    public ValueTask DisposeAsync() => kdc?.DisposeAsync() ?? default;

    private async Task AdministerAsync(string query) => (await RunAsync(Peer.Require("kadmin.local"), "-r", Name, "-q", query)).AssertSucceeded();

    private Task<ProgramResult> RunAsync(params string[] command) => RunningProgram.RunAsync(command, environment: Environment());

    private string KdcConfiguration(int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        [realms]
          {{Name}} = {
            kdc_listen = 127.0.0.1:{{port}}
            kdc_tcp_listen = 127.0.0.1:{{port}}
            database_name = {{directory}}/principal
            key_stash_file = {{directory}}/stash
            acl_file = {{directory}}/kadm5.acl
          }
        [logging]
          kdc = FILE:{{directory}}/kdc.log

        """);

    private static string ClientConfiguration(int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        [libdefaults]
          default_realm = {{Name}}
          dns_lookup_kdc = false
          dns_lookup_realm = false
          dns_canonicalize_hostname = false
          rdns = false
          udp_preference_limit = 1
        [realms]
          {{Name}} = {
            kdc = 127.0.0.1:{{port}}
          }
        [domain_realm]
          localhost = {{Name}}

        """);
}
