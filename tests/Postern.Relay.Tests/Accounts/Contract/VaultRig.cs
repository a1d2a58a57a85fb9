using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>Users in a <see cref="DocumentedVault"/>, over TLS; this server logs in by AppRole.</summary>
public sealed class VaultRig : IStoreRig
{
    private const string Secret = "secret-id-of-the-service";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-vault-").FullName;
    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private readonly CutWire wire = new();
    private DocumentedVault? vault;

    public string Word => "vault";

    public string ServicePassword => Secret;

    public StoreAbilities Abilities => SqlUsers.Abilities;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("it cannot be reached: Connection refused", () => UntilAsync(
            () =>
            {
                wire.Refuse();
                vault!.Server.Stop();
            },
            () =>
            {
                vault!.Server.Start();
                wire.Pass();
            })),
        [StoreFailure.Hangs] = new("no answer within 2 s", () => UntilAsync(() => vault!.Server.FallSilent(), () => vault!.Server.Speak())) { IsSilent = true },
        [StoreFailure.HalfOpen] = new("no answer within 2 s", () => UntilAsync(wire.Swallow, wire.Pass)) { IsSilent = true },
        [StoreFailure.Damaged] = new("its answer is no JSON", () => InsteadAsync(new WebReply(200, "{\"data\": "))),
        [StoreFailure.WrongServicePassword] = new("the login by AppRole at auth/approle was refused (400)", NothingAsync, () => Configure(("secret_id", "not-" + Secret[..9]))),
        [StoreFailure.Refused] = new(
            "permission denied (403): its policy needs path \"secret/data/smtp-auth/*\" { capabilities = [\"read\"] }",
            () => UntilAsync(() => vault!.Policy = "secret/data/other/*", () => vault!.Policy = "secret/*")),
        [StoreFailure.NotThere] = new("no engine is mounted at other/", AsRootAsync, () => Configure("vault://other/smtp-auth")),
        [StoreFailure.Fails] = new("it answers 500", () => InsteadAsync(new WebReply(500, "{\"errors\":[\"internal error\"]}"))),
        [StoreFailure.SendsElsewhere] = new("it is on standby, and sends to another node (307)", () => InsteadAsync(new WebReply(307, "") { Fields = [("Location", "https://127.0.0.1/")] })),
        [StoreFailure.Sealed] = new("it is sealed, or down for maintenance (503)", () => UntilAsync(() => vault!.IsSealed = true, () => vault!.IsSealed = false)),
        [StoreFailure.OlderKind] = new("the engine at older/ is KV of version 1", AsRootAsync, () => Configure("vault://older/smtp-auth")),
        [StoreFailure.ExpiredCertificate] = new("TLS: ", () => ShowAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromHours(1)), Configure),
        [StoreFailure.CertificateOfAnotherName] = new("TLS: ", () => ShowAsync(["vault.example.org"], [], TimeSpan.FromDays(10)), Configure),
        [StoreFailure.TooLarge] = new("its answer is longer than 1 MiB", () => InsteadAsync(new WebReply(200, $"{{\"data\":{{\"data\":{{\"password\":\"{new string('x', 10_000_000)}\"}}}}}}"))),
        [StoreFailure.SeveralAccounts] = new(
            "the secret is of another user", () => InsteadAsync(new WebReply(200, "{\"data\":{\"data\":{\"user\":\"bart\",\"password\":\"tiger\"},\"metadata\":{\"version\":1}}}"))),
    };

    private string Authorities => Path.Combine(folder, "ca.pem");

    /// <summary>A name that is no part of a path has no secret there.</summary>
    public bool CanHold(string name) => !name.Contains('/', StringComparison.Ordinal) && !name.EndsWith('.');

    public Task PutAsync(RigUser user)
    {
        var secret = new JsonObject();
        if (user is { Secrets: [var only] })
            secret["password"] = only;
        else
            secret["passwords"] = new JsonArray([.. user.Secrets.Select(static s => JsonValue.Create(s))]);
        if (user.AccountName is { } account)
            secret["name"] = account;
        // As `vault kv put` writes them: every value is a text.
        if (user.Addresses is { } addresses)
            secret["addresses"] = string.Join(", ", addresses);
        if (user.Domains.Length > 0)
            secret["domains"] = string.Join(' ', user.Domains);
        if (user.Tenant is { } tenant)
            secret["tenant"] = tenant;
        if (user.IsDisabled)
            secret["disabled"] = "true";
        if (user.ExpiresAt is { } expires)
            secret["expires"] = expires.ToString("O", CultureInfo.InvariantCulture);
        vault!.Put($"secret/smtp-auth/{user.Name}", secret);
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name)
    {
        vault!.Delete($"secret/smtp-auth/{name}");
        return Task.CompletedTask;
    }

    public AccountSource Configure() => Configure("vault://secret/smtp-auth");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Authorities, authority.Certificate.ExportCertificatePem());
        vault = new DocumentedVault(authority.IssueServer(["localhost"], [IPAddress.Loopback], validFor: TimeSpan.FromDays(10))) { SecretId = Secret };
        wire.To = vault.Server.Port;
        wire.Pass();
    }

    public async ValueTask DisposeAsync()
    {
        wire.Dispose();
        if (vault is not null)
            await vault.DisposeAsync();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private static Task<Func<Task>> UntilAsync(Action begin, Action end)
    {
        begin();
        return Task.FromResult<Func<Task>>(() =>
        {
            end();
            return Task.CompletedTask;
        });
    }

    private AccountSource Configure(string uri) => Configure(uri, ("secret_id", Secret));

    private AccountSource Configure(params (string, string)[] keys) => Configure("vault://secret/smtp-auth", keys);

    private AccountSource Configure(string uri, params (string, string)[] keys) => AccountStores.All.Single(static k => k.Word == "vault").Read(
        new StoreKeys([("address", string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{wire.Port}")), ("role_id", DocumentedVault.RoleId), ("ca", Authorities), .. keys]),
        new AccountSource(uri, "mail.example.org") { Terms = new StoreTerms() });

    /// <summary>A policy is asked before anybody looks what is mounted.</summary>
    private Task<Func<Task>> AsRootAsync() => UntilAsync(() => vault!.Policy = "*", () => vault!.Policy = "secret/*");

    /// <summary>In place of every secret that is read.</summary>
    private Task<Func<Task>> InsteadAsync(WebReply reply) => UntilAsync(() => vault!.Instead = reply, () => vault!.Instead = null);

    private Task<Func<Task>> ShowAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        var good = vault!.Server.Certificate;
        return UntilAsync(
            () =>
            {
                vault.Server.Certificate = authority.IssueServer(names, addresses, validFor: validFor);
                vault.Server.CutOff();
            },
            () =>
            {
                vault.Server.Certificate = good;
                vault.Server.CutOff();
            });
    }
}

public sealed class VaultStoreContractTests(VaultRig rig) : StoreContract<VaultRig>(rig);
