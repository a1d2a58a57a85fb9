using Postern.Testing.Mailboxes;

namespace Postern.Bench;

/// <summary>What the watch over logins makes of made-up mailboxes: with databases of places, and without.</summary>
internal static class TheftFigures
{
    public static void Run(int[] seeds)
    {
        foreach (var seed in seeds.Length > 0 ? seeds : [71, 72, 73])
        {
            foreach (var knowsPlaces in new[] { false, true })
            {
                Console.WriteLine($"seed {seed}, {(knowsPlaces ? "countries and network operators are known" : "networks alone are known")}");
                Console.WriteLine(TheftReplay.Of(seed, knowsPlaces).ToTable());
            }
        }
    }
}
