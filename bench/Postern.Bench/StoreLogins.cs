using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// Logins a second by stores that ask a service on this machine over HTTP: each user for the first time, and users who are remembered. The
/// service is in this process, so its share counts too. Passwords are kept as they are: what a hash costs is another matter.
/// </summary>
internal static class StoreLogins
{
    private const int Users = 5_000;
    private const int AtOnce = 32;
    private const string Password = "tiger";

    public static async Task RunAsync()
    {
        await using var service = new WebServer(static question => new WebReply(200, Answer(question)));
        await using var vault = new DocumentedVault();
        for (var i = 0; i < Users; i++)
            vault.Put($"secret/smtp-auth/{Name(i)}", new JsonObject { ["password"] = Password });
        vault.Issue("token");
        var http = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{service.Port}/smtp-auth");
        Console.WriteLine($"{"logins a second",-24} {"cold",10} {"CPU/login",12} {"cached",10} {"CPU/login",12}");
        await MeasureAsync("http, check: false", "http", http, ("key", "signing-key-of-the-service"));
        await MeasureAsync("http, check: true", "http", http, ("key", "signing-key-of-the-service"), ("check", "true"));
        await MeasureAsync("vault", "vault", "vault://secret/smtp-auth", ("address", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{vault.Server.Port}")), ("token", "token"));
    }

    private static async Task MeasureAsync(string what, string word, string uri, params (string, string)[] keys)
    {
        var folder = Directory.CreateTempSubdirectory("postern-stores-").FullName;
        using (var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "directory.db"))))
        using (var pool = new HashingPool(new HashingPoolOptions { Threads = 1 }))
        {
            var context = new StoreContext(directory, new Decoys(directory.DecoyKey.Span), Relay.Audit.NoAuditLog.Instance, TimeProvider.System);
            var kind = AccountStores.All.Single(kind => kind.Word == word);
            using var store = AccountStores.Open(context, kind.Read(new StoreKeys(keys), new AccountSource(uri, "mail.example.org") { Terms = new StoreTerms { Timeout = TimeSpan.FromMinutes(1) } }));
            var verifiers = new AccountVerifiers([store], pool, new VerificationCache(TimeProvider.System), TimeProvider.System) { Directory = directory };
            await RunAsync(verifiers, 0, 500);
            var cold = await RunAsync(verifiers, 500, Users);
            var cached = await RunAsync(verifiers, 500, Users);
            Console.WriteLine($"{what,-24} {cold.Rate,10:0} {cold.Cpu,9:0} us {cached.Rate,10:0} {cached.Cpu,9:0} us");
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<(double Rate, double Cpu)> RunAsync(AccountVerifiers verifiers, int from, int to)
    {
        var next = from - 1;
        var (begun, cpu) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            await Task.Yield();
            while (Interlocked.Increment(ref next) is var i && i < to)
            {
                // From many networks: one alone may not have all of the hashing.
                var peer = string.Create(CultureInfo.InvariantCulture, $"10.{i % 200}.{i % 199}.1");
                if (await verifiers.Passwords.CheckAsync(Name(i), Encoding.UTF8.GetBytes(Password), peer, CancellationToken.None) is var answer and not LoginAnswer.Match)
                    throw new InvalidOperationException($"{Name(i)} does not log in: {answer}");
            }
        }));
        var count = to - from;
        return (count / Stopwatch.GetElapsedTime(begun).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / count);
    }

    private static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"user{i}@example.org");

    private static string Answer(WebQuestion question)
    {
        var asked = JsonNode.Parse(question.Body)!.AsObject();
        var answer = new JsonObject { ["user"] = asked["user"]!.GetValue<string>(), ["found"] = true };
        if (asked["check"]!.GetValue<bool>())
            answer["match"] = asked["password"]!.GetValue<string>() == Password;
        else
            answer["password"] = Password;
        return answer.ToJsonString();
    }
}
