using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;

namespace Postern.Bench;

/// <summary>
/// What a login costs that the server remembers (PLAIN): CPU time and allocations of the mechanism, the verifiers and the notes of what was used, by
/// the credentials of the account. The SMTP session is not counted.
/// </summary>
internal static class LoginCost
{
    private const int Logins = 200_000;
    private const string User = "lisa@example.org";
    private const string Peer = "192.0.2.7";

    private static readonly (string Name, int Others, CredentialScope Scope)[] Rows =
    [
        ("one secret", 0, CredentialScope.Same),
        ("and ten app passwords", 10, CredentialScope.Same),
        ("limited to its network", 0, new CredentialScope(["submission"], ["192.0.2.0/24"])),
        ("and ten of other networks", 10, new CredentialScope(["submission"], ["192.0.2.0/24"])),
    ];

    public static async Task RunAsync()
    {
        Console.WriteLine($"{"account",-26} {"ns CPU a login",16} {"octets allocated",18}");
        foreach (var (name, others, scope) in Rows)
        {
            var folder = Directory.CreateTempSubdirectory("postern-bench-");
            using (var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder.FullName, "directory.db"))))
                await MeasureAsync(directory, name, others, scope);
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(SqliteDirectory directory, string name, int others, CredentialScope scope)
    {
        var commands = new DirectoryCommands(directory, TimeProvider.System);
        commands.Accounts.Add(new AddAccount(User, [], []));
        var secret = ((AdminOutcome.Issued)commands.Credentials.Add(new AddCredential(User) { Scope = scope })).Generated!.Reveal();
        for (var i = 0; i < others; i++)
            commands.Credentials.Add(new AddCredential(User, Label: $"app {i}")
            {
                IsApp = true,
                Scope = scope == CredentialScope.Same ? scope : new CredentialScope(Networks: [$"198.51.100.{i}"]),
            });

        using var pool = new HashingPool(new HashingPoolOptions());
        using var uses = new CredentialUses(directory, LastUseFile.Beside(directory.Path), NoAuditLog.Instance, TimeProvider.System);
        var store = AccountStores.Open(
            new StoreContext(directory, new Decoys(directory.DecoyKey.Span), NoAuditLog.Instance, TimeProvider.System), new AccountSource("directory", "bench.example.org"));
        var context = new AccountVerifiers([store], pool, new VerificationCache(TimeProvider.System), TimeProvider.System)
        {
            Directory = directory,
            Listener = "submission",
            Uses = uses,
        }.Context with { Peer = Peer };
        var message = Encoding.UTF8.GetBytes($"\0{User}\0{secret}");
        await PlayAsync(context, message);
        GC.Collect();
        var (allocated, cpu) = (GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime);
        await PlayAsync(context, message);
        Console.WriteLine(
            $"{name,-26} {(Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / Logins,16:0} "
                + $"{(GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)Logins,18:0.0}");
    }

    private static async Task PlayAsync(SaslContext context, byte[] message)
    {
        for (var i = 0; i < Logins; i++)
        {
            if (await PlainMechanism.Instance.TryStart(context)!.NextAsync(message, CancellationToken.None) is not SaslStep.Success)
                throw new InvalidOperationException("the login failed");
        }
    }
}
