using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Ldap;
using Postern.Testing.Databases;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>OpenLDAP's server, asked over a wire that can be cut, with TLS that begins in clear.</summary>
public abstract class LdapRigBase(string word, (string Key, string Value)[] keys, StoreAbilities abilities) : IStoreRig
{
    private static readonly string Silence = string.Create(CultureInfo.InvariantCulture, $"no answer within {new StoreTerms().Timeout.TotalSeconds:0.###} s");

    private readonly CutWire wire = new();
    private Slapd? slapd;
    private int counts;

    public string Word => word;

    public string ServicePassword => Slapd.ServicePassword;

    public StoreAbilities Abilities => abilities | StoreAbilities.Disabled | StoreAbilities.Rights | StoreAbilities.Expiry | StoreAbilities.Reload | StoreAbilities.AccountNames;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("it cannot be reached: Connection refused", async () =>
        {
            await slapd!.StopAsync();
            wire.Refuse();
            return async () =>
            {
                await slapd.RunAsync();
                wire.Pass();
            };
        }),
        [StoreFailure.Hangs] = new(Silence, () =>
        {
            ProcessTree.Signal(slapd!.Id, ProcessTree.Stop);
            return Task.FromResult<Func<Task>>(() =>
            {
                ProcessTree.Signal(slapd.Id, ProcessTree.Continue);
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.HalfOpen] = new(Silence, () =>
        {
            wire.Swallow();
            return Task.FromResult<Func<Task>>(() =>
            {
                wire.Pass();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.WrongServicePassword] = new(
            $"the bind as '{Slapd.Service}' is refused: wrong name or password (invalidCredentials)", NothingAsync, () => Configure(password: "not-" + Slapd.ServicePassword[..4])),
        [StoreFailure.ExpiredCertificate] = new("TLS: ", () => ShowAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromHours(1)), Configure),
        [StoreFailure.CertificateOfAnotherName] = new("TLS: ", () => ShowAsync(["ldap.example.org"], [], TimeSpan.FromDays(10)), Configure),
        [StoreFailure.MissingColumn] = new("the entry shows none of employeeNumber", NothingAsync, () => Configure(filter: "(&(uid=other)(|(employeeNumber=@user)(uid=other)))")),
        [StoreFailure.MissingTable] = new("'ou=nowhere,dc=example,dc=org' is not there", NothingAsync, () => Configure(below: "ou=nowhere,dc=example,dc=org")),
        [StoreFailure.TooLarge] = new("its answer is longer than 4 MiB", NothingAsync, () => Configure(filter: "(&(uid=large)(|(uid=@user)(uid=large)))", addresses: "description")),
        [StoreFailure.SeveralAccounts] = new("the filter finds more than one entry", NothingAsync, () => Configure(filter: "(|(uid=@user)(objectClass=inetOrgPerson))")),
        [StoreFailure.AnotherUser] = new("its answer is of another user", NothingAsync, () => Configure(filter: "(&(uid=other)(|(uid=@user)(uid=other)))")),
    };

    /// <summary>The question itself is a bind.</summary>
    public async Task<long?> CountChecksAsync() => abilities.HasFlag(StoreAbilities.Forms) ? null : await slapd!.CountBindsAsync() - ++counts;

    public async Task PutAsync(RigUser user)
    {
        var lines = $"{Slapd.Line("dn", DnOf(user.Name))}changetype: delete\n\n{Slapd.Line("dn", DnOf(user.Name))}changetype: add\nobjectClass: inetOrgPerson\nobjectClass: user\nsn: of the rig\ncn: {ShortOf(user.Name)}\n"
            + Slapd.Line("uid", user.Name)
            + string.Concat(user.Secrets.Select(secret => Slapd.Line("userPassword", abilities.HasFlag(StoreAbilities.Forms) ? secret : secret.Replace("{PLAIN}", "", StringComparison.Ordinal))))
            + string.Concat((user.Addresses ?? []).Select(static a => Slapd.Line("proxyAddresses", $"smtp:{a}")))
            + string.Concat(user.Domains.Select(static d => Slapd.Line("sendsForDomain", d)))
            + (user.Tenant is null ? "" : Slapd.Line("tenantName", user.Tenant))
            + (user.AccountName is null ? "" : Slapd.Line("accountName", user.AccountName))
            + (user.ExpiresAt is { } end ? string.Create(CultureInfo.InvariantCulture, $"accountExpires: {end.ToFileTime()}\n") : "")
            + (user.IsDisabled ? "userAccountControl: 514\n" : "userAccountControl: 512\n");
        await slapd!.ChangeAsync(lines);
    }

    public Task RemoveAsync(string name) => slapd!.ChangeAsync($"{Slapd.Line("dn", DnOf(name))}changetype: delete\n");

    /// <summary>Spaces at the ends, and several beside each other, make no difference to LDAP (RFC 4518 §2.6.1).</summary>
    public bool CanHold(string name) => name == name.Trim() && !name.Contains("  ", StringComparison.Ordinal);

    public AccountSource Configure() => Configure(null);

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(Slapd.WhyNot() is not null, Slapd.WhyNot() ?? string.Empty);
        slapd = await Slapd.StartAsync(
            "dn: uid=large,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: large\nsn: large\ncn: large\ndescription: " + new string('x', 10_000_000) + "\n");
        wire.To = slapd.Port;
        wire.Pass();
    }

    public async ValueTask DisposeAsync()
    {
        if (slapd is not null)
            await slapd.DisposeAsync();
        wire.Dispose();
        GC.SuppressFinalize(this);
    }

    internal AccountSource Configure(string? filter = null, string? password = null, string below = Slapd.People, string? addresses = null)
    {
        (string, string)[] all =
        [
            ("bind", Slapd.Service), ("password", password ?? Slapd.ServicePassword), ("tls", "starttls"), ("ca", slapd?.Authorities ?? "ca.pem"), ("attributes.name", "accountName"),
            ("attributes.domains", "sendsForDomain"), ("attributes.tenant", "tenantName"), ("attributes.addresses", addresses ?? "mail proxyAddresses"), .. keys,
        ];
        return AccountStores.All.Single(static k => k.Word == "ldap").Read(
            new StoreKeys(filter is null ? all : [.. all, ("filter", filter)]),
            new AccountSource(string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{wire.Port}/{below}"), "mail.example.org") { Terms = new StoreTerms { MostQuestions = 100 } });
    }

    /// <summary>A name that is longer than its database takes has another one in the DN.</summary>
    private static string DnOf(string name) => name.Length > 100 ? $"cn={ShortOf(name)},{Slapd.People}" : $"uid={LdapDn.Escape(name)},{Slapd.People}";

    private static string ShortOf(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)), 0, 16);

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private async Task<Func<Task>> ShowAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        await AgainAsync(names, addresses, validFor);
        return () => AgainAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));
    }

    private async Task AgainAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        await slapd!.StopAsync();
        await slapd.CertifyAsync(names, addresses, validFor);
        await slapd.RunAsync();
    }
}

/// <summary>A search, and a bind as the entry that it finds.</summary>
public sealed class LdapRig() : LdapRigBase("ldap", [], StoreAbilities.None);

/// <summary>What the entry has of passwords is read.</summary>
public sealed class LdapSecretRig() : LdapRigBase("ldap` with `secret", [("secret", "userPassword")], StoreAbilities.Readable | StoreAbilities.Forms | StoreAbilities.Several);

public sealed class LdapStoreContractTests(LdapRig rig) : StoreContract<LdapRig>(rig);

public sealed class LdapSecretStoreContractTests(LdapSecretRig rig) : StoreContract<LdapSecretRig>(rig);
