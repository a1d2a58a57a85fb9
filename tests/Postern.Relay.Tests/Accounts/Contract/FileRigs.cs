using System.Collections.Concurrent;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A text file with a user a line.</summary>
public abstract class LineRig(string scheme) : IStoreRig
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-store-").FullName;
    private readonly ConcurrentDictionary<string, string> lines = new(StringComparer.Ordinal);
    private int writes;

    public string Word => scheme;

    public abstract StoreAbilities Abilities { get; }

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("there is no such file", () => ReplaceAsync(File.Delete)),
        [StoreFailure.Damaged] = new("it is not UTF-8 text", () => ReplaceAsync(static path => File.WriteAllBytes(path, [0xff, 0xfe, 0xfd]))),
        [StoreFailure.TooLarge] = new("it is larger than 64 MiB", () => ReplaceAsync(static path =>
        {
            using var file = File.OpenWrite(path);
            file.SetLength((64 << 20) + 1);
        })),
    };

    protected string Path => System.IO.Path.Combine(folder, "users");

    public async Task PutAsync(RigUser user)
    {
        lines[user.Name] = LineOf(user);
        await WriteAsync();
    }

    public async Task RemoveAsync(string name)
    {
        lines.TryRemove(name, out _);
        await WriteAsync();
    }

    public virtual bool CanHold(string name) => !name.Contains(':', StringComparison.Ordinal) && !name.StartsWith('#');

    public AccountSource Configure() => new($"{scheme}://{Path}", "mail.example.org");

    public ValueTask InitializeAsync() => new(WriteAsync());

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
        return default;
    }

    protected abstract string LineOf(RigUser user);

    /// <summary>No two writes look alike, however fast they come.</summary>
    private async Task WriteAsync()
    {
        await File.WriteAllLinesAsync(Path, lines.Values.Append("# " + new string('x', ++writes)));
        File.SetLastWriteTimeUtc(Path, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(writes));
    }

    private Task<Func<Task>> ReplaceAsync(Action<string> by)
    {
        by(Path);
        return Task.FromResult<Func<Task>>(() =>
        {
            File.Delete(Path);
            return WriteAsync();
        });
    }
}

/// <summary><c>file:///path</c>.</summary>
public sealed class FileRig() : LineRig("file")
{
    public override StoreAbilities Abilities => StoreAbilities.Readable | StoreAbilities.Forms | StoreAbilities.Reload;

    protected override string LineOf(RigUser user) => $"{user.Name}:{user.Secrets[0]}";
}

/// <summary><c>digest:///path</c>.</summary>
public sealed class DigestRig() : LineRig("digest")
{
    public override StoreAbilities Abilities => StoreAbilities.Reload;

    protected override string LineOf(RigUser user) => $"{user.Name}:mail.example.org:{Convert.ToHexStringLower(DigestSecret.Derive(user.Name, "mail.example.org", user.Secrets[0]))}";
}

/// <summary>Users in the configuration itself.</summary>
public sealed class UsersRig : IStoreRig
{
    private readonly ConcurrentDictionary<string, string> users = new(StringComparer.Ordinal);

    public string Word => "users";

    public StoreAbilities Abilities => StoreAbilities.Readable | StoreAbilities.Forms;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults { get; } = new Dictionary<StoreFailure, StoreFault>();

    public Task PutAsync(RigUser user)
    {
        users[user.Name] = user.Secrets[0];
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name)
    {
        users.TryRemove(name, out _);
        return Task.CompletedTask;
    }

    public AccountSource Configure()
    {
        var kind = AccountStores.All.Single(static k => k.Word == "users");
        return kind.Read(new StoreKeys { Named = [.. users.Select(static u => (u.Key, new Secret(u.Value)))], Problems = [] }, new AccountSource("users", "mail.example.org"));
    }

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => default;
}

/// <summary>The built-in database.</summary>
public sealed class DirectoryRig : IStoreRig
{
    private readonly DirectoryFixture fixture = new(TimeSpan.FromMilliseconds(200));

    public string Word => "directory";

    internal StoreContext Context => fixture.StoreContext;

    public StoreAbilities Abilities =>
        StoreAbilities.Readable | StoreAbilities.Forms | StoreAbilities.Disabled | StoreAbilities.Several | StoreAbilities.Expiry | StoreAbilities.Rights | StoreAbilities.Reload;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("there is no such file", () => Task.FromResult(Replace(static _ => { }))),
        [StoreFailure.Damaged] = new("it is not a database", () => Task.FromResult(Replace(static path => File.WriteAllText(path, new string('x', 8192))))),
        [StoreFailure.Locked] = new("it has been locked by another process", LockAsync),
    };

    public async Task PutAsync(RigUser user)
    {
        await RemoveAsync(user.Name);
        fixture.Execute("insert into accounts (name, enabled, created_at, tenant) values (@name, @enabled, 0, @tenant)", ("@name", user.Name), ("@enabled", user.IsDisabled ? 0 : 1), ("@tenant", (object?)user.Tenant ?? DBNull.Value));
        foreach (var secret in user.Secrets)
            fixture.Execute(
                "insert into credentials (account_id, secret, generated, created_at, expires_at) select id, @secret, 0, 0, @expires from accounts where name = @name",
                ("@secret", secret.StartsWith('{') || secret.Contains('$', StringComparison.Ordinal) || secret == "!" ? secret : $"{{PLAIN}}{secret}"),
                ("@expires", (object?)user.ExpiresAt?.ToUnixTimeMilliseconds() ?? DBNull.Value),
                ("@name", user.Name));
        foreach (var address in user.Addresses ?? [])
            fixture.Execute("insert into account_addresses select id, @address from accounts where name = @name", ("@address", address.ToLowerInvariant()), ("@name", user.Name));
        foreach (var domain in user.Domains)
            fixture.Execute("insert into account_domains select id, @domain from accounts where name = @name", ("@domain", domain), ("@name", user.Name));
    }

    public Task RemoveAsync(string name)
    {
        fixture.Execute("delete from credentials where account_id in (select id from accounts where name = @name)", ("@name", name));
        fixture.Execute("delete from account_addresses where account_id in (select id from accounts where name = @name)", ("@name", name));
        fixture.Execute("delete from account_domains where account_id in (select id from accounts where name = @name)", ("@name", name));
        fixture.Execute("delete from accounts where name = @name", ("@name", name));
        return Task.CompletedTask;
    }

    public AccountSource Configure() => new("directory", "mail.example.org");

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync()
    {
        fixture.Dispose();
        return default;
    }

    /// <summary>It is looked at once a second.</summary>
    private Func<Task> Replace(Action<string> instead)
    {
        fixture.Execute("pragma wal_checkpoint(truncate)");
        File.Move(fixture.File, fixture.File + ".aside");
        instead(fixture.File);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        return () =>
        {
            File.Move(fixture.File + ".aside", fixture.File, overwrite: true);
            fixture.Clock.Advance(TimeSpan.FromSeconds(2));
            return Task.CompletedTask;
        };
    }

    /// <summary>Whoever has a database open keeps others from locking it against readers, so it is lost for a moment first.</summary>
    private async Task<Func<Task>> LockAsync()
    {
        var back = Replace(static _ => { });
        Assert.Throws<DirectoryUnavailableException>(() => fixture.Database.FindAccount("lisa"));
        await back();
        var other = fixture.Connect();
        await using var hold = other.CreateCommand();
        hold.CommandText = "pragma locking_mode = exclusive; begin exclusive; update accounts set enabled = enabled; commit";
        await hold.ExecuteNonQueryAsync();
        return () =>
        {
            other.Dispose();
            return Task.CompletedTask;
        };
    }
}

public sealed class FileStoreContractTests(FileRig rig) : StoreContract<FileRig>(rig);

public sealed class DigestStoreContractTests(DigestRig rig) : StoreContract<DigestRig>(rig);

public sealed class UsersStoreContractTests(UsersRig rig) : StoreContract<UsersRig>(rig);

public sealed class DirectoryStoreContractTests(DirectoryRig rig) : StoreContract<DirectoryRig>(rig);
