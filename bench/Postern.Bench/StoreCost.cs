using System.Diagnostics;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;

namespace Postern.Bench;

/// <summary>
/// Verified logins a second, and what a thousand cost this process, for each store that can be had here: with everything asked and hashed
/// anew (cold), and with what is remembered (cached). Sixteen log in at a time, on one hashing thread less than there are cores. Where a
/// store gives stored forms they are hashed here, else whoever is asked checks the password.
/// </summary>
internal static class StoreCost
{
    private const int AtATime = 16;

    /// <param name="only">The word of one kind of store; null for all.</param>
    public static async Task RunAsync(int cold, int cached, string? only)
    {
        await using var stores = new CostedStores();
        Console.WriteLine($"{"store",-20} {"cold, logins/s",15} {"CPU ms/1000",12} {"cached, logins/s",17} {"CPU ms/1000",12}");
        await foreach (var (name, source) in stores.AllAsync(only))
        {
            var (first, again) = await MeasureAsync(stores.Context, source, cold, cached);
            Console.WriteLine($"{name,-20} {first.PerSecond,15:0} {first.Milliseconds,12:0.0} {again.PerSecond,17:0} {again.Milliseconds,12:0.00}");
        }

        foreach (var why in stores.Missing)
            Console.WriteLine(why);
    }

    private static async Task<(Cost Cold, Cost Cached)> MeasureAsync(StoreContext context, Func<StoreTerms, AccountSource> source, int cold, int cached)
    {
        using var pool = new HashingPool(new HashingPoolOptions());
        Cost first;
        using (var store = AccountStores.Open(context, source(new StoreTerms { Remember = TimeSpan.Zero })))
        {
            var verifiers = new AccountVerifiers([store], pool, new VerificationCache(CostedStores.Users, TimeSpan.Zero, TimeProvider.System), TimeProvider.System)
            {
                Decoys = context.Decoys,
            };
            await LogInAsync(verifiers, CostedStores.Users);
            first = await LogInAsync(verifiers, cold);
        }

        using (var store = AccountStores.Open(context, source(new StoreTerms { Remember = TimeSpan.FromHours(1) })))
        {
            var verifiers = new AccountVerifiers([store], pool, new VerificationCache(2 * CostedStores.Users, TimeSpan.FromHours(1), TimeProvider.System), TimeProvider.System)
            {
                Decoys = context.Decoys,
            };
            await LogInAsync(verifiers, CostedStores.Users);
            return (first, await LogInAsync(verifiers, cached));
        }
    }

    private static async Task<Cost> LogInAsync(AccountVerifiers verifiers, int count)
    {
        var next = -1;
        var (begun, spent) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await Task.WhenAll(Enumerable.Range(0, AtATime).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                var user = i % CostedStores.Users;
                if (await verifiers.Passwords.CheckAsync(CostedStores.Name(user), Encoding.UTF8.GetBytes(CostedStores.Password(user)), "192.0.2.1", CancellationToken.None) is var answer
                    and not LoginAnswer.Match)
                    throw new InvalidOperationException($"{CostedStores.Name(user)}: {answer}");
            }
        })));
        return new Cost(count / Stopwatch.GetElapsedTime(begun).TotalSeconds, (Environment.CpuUsage.TotalTime - spent).TotalMilliseconds * 1000 / count);
    }

    /// <param name="Milliseconds">Of processor time of this process, for a thousand logins.</param>
    private readonly record struct Cost(double PerSecond, double Milliseconds);
}
