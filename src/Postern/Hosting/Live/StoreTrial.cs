using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;

namespace Postern.Hosting.Live;

/// <summary>
/// Each store of accounts, asked as a login would ask it, by a name that nobody has: whether it answers, and what is wrong where it does
/// not. The directory is left out: whoever checks looks into its file.
/// </summary>
internal static class StoreTrial
{
    /// <summary>In the order of the stores; null where there is no place for a directory to stand in.</summary>
    public static async Task<ImmutableArray<StoreTrialOutcome>?> RunAsync(
        PosternConfiguration configuration, TimeProvider clock, CancellationToken ct)
    {
        if (Rehearsal.Scratch(Path.GetTempPath(), configuration.Server.Data) is not { } folder)
            return null;
        try
        {
            using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(folder)) { Clock = clock });
            var options = configuration.ToAccounts();
            using var foundation = new AccountFoundation(directory, options, NoAuditLog.Instance, clock);
            using var accounts = new RelayAccounts(options, foundation);
            return
            [
                .. (await accounts.ProbeAsync(ct))
                    .Select((one, i) => new StoreTrialOutcome($"accounts[{i}].uri", one.Uri, one.Trouble, one.Took.TotalMilliseconds))
                    .Where(static one => one.Store != "directory"),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <param name="Key">Where the store stands in the configuration.</param>
/// <param name="Trouble">What is wrong; null where it answers.</param>
internal sealed record StoreTrialOutcome(string Key, string Store, string? Trouble, double Milliseconds);
