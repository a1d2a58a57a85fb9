using System.Diagnostics;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Audit;
using Postern.Sasl.Verifiers;

namespace Postern.Bench;

/// <summary>
/// Logins of 500 users a second, by a store that takes 50 ms for each question and may be asked 50 at a time: what its memory makes of that. Each
/// login has its moment, whether or not the one before it has come back. Fails where one is not answered, once all are known.
/// </summary>
internal static class LoginRate
{
    private const int Users = 500;
    private const int Rate = 2_000;

    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync()
    {
        using var pool = new HashingPool(new HashingPoolOptions());
        var health = new StoreHealth("far", NoAuditLog.Instance, TimeProvider.System);
        var store = AccountStores.Bound(new FarUsers(Users, Latency), new StoreTerms(), TimeProvider.System, health);
        var verifiers = new AccountVerifiers([store], pool, new VerificationCache(TimeProvider.System), TimeProvider.System);
        Console.WriteLine($"{Rate} logins a second of {Users} users, a store of {Latency.TotalMilliseconds:0} ms");
        Console.WriteLine($"{"",-10} {"logins/s",10} {"right",10} {"busy",8} {"asked",8} {"memory",8} {"p50 ms",8} {"p99 ms",8} {"CPU us",8}");
        await RunPhaseAsync("cold", verifiers, health);
        var isGood = await RunPhaseAsync("warm", verifiers, health);
        return isGood && await RunPhaseAsync("warm", verifiers, health) ? 0 : 1;
    }

    private static async Task<bool> RunPhaseAsync(string name, AccountVerifiers verifiers, StoreHealth health)
    {
        var before = health.Condition;
        var cpu = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        var all = new List<Task<(LoginAnswer Answer, double Milliseconds)>>();
        var random = new Random(1);
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < Phase)
        {
            for (var due = (int)(elapsed.TotalSeconds * Rate); all.Count <= due;)
                all.Add(LogInAsync(verifiers, random.Next(Users), Stopwatch.GetTimestamp()));
            await Task.Delay(1);
        }

        var answers = await Task.WhenAll(all);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var spent = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / answers.Length;
        var now = health.Condition;
        var right = answers.Count(static a => a.Answer is LoginAnswer.Match);
        double[] times = [.. answers.Select(static a => a.Milliseconds).Order()];
        Console.WriteLine(
            $"{name,-10} {answers.Length / seconds,10:0} {right,10} {answers.Count(static a => a.Answer is LoginAnswer.Busy or LoginAnswer.Unavailable),8} {now.Asked - before.Asked,8} "
                + $"{now.FromMemory - before.FromMemory,8} {times[times.Length / 2],8:0.00} {times[times.Length * 99 / 100],8:0.00} {spent,8:0.0}");
        return right == answers.Length;
    }

    private static async Task<(LoginAnswer Answer, double Milliseconds)> LogInAsync(AccountVerifiers verifiers, int user, long due)
    {
        var answer = await verifiers.Passwords.CheckAsync(FarUsers.User(user), Encoding.UTF8.GetBytes(FarUsers.Password), "192.0.2.1", CancellationToken.None);
        return (answer, Stopwatch.GetElapsedTime(due).TotalMilliseconds);
    }
}
