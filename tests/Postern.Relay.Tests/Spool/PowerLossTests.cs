using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>
/// The power fails at any call, in several lives of one spool in a row, also while it is being opened; with messages of many
/// chunks, states, removals, compaction, and messages that are never finished.
/// </summary>
public sealed class PowerLossTests
{
    private const int Writers = 4;
    private const int Lives = 3;

    /// <summary>Of power cuts, in each of four tests; with POSTERN_SOAK=1 for many minutes.</summary>
    private static readonly int Points = Environment.GetEnvironmentVariable("POSTERN_SOAK") is { Length: > 0 } ? 2500 : 125;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whenever_the_power_fails_what_was_promised_is_kept(int seed)
    {
        var random = new Random(seed);
        for (var point = 0; point < Points; point += Lives)
        {
            var history = random.Next();
            if (await FindLossAsync(history, omitted: null) is { } loss)
                Assert.Fail($"history {history}: {loss}");
        }
    }

    /// <summary>The server is restarted after a sync that failed, and goes on; only then the power fails.</summary>
    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task After_a_failed_sync_and_a_restart_nothing_is_promised_on_what_only_memory_holds(int seed)
    {
        var random = new Random(seed);
        for (var point = 0; point < Points; point += Lives)
        {
            var history = random.Next();
            if (await FindLossAsync(history, omitted: null, syncsFail: true) is { } loss)
                Assert.Fail($"history {history}: {loss}");
        }
    }

    [Theory]
    [InlineData("records", false)]
    [InlineData("footer", false)]
    [InlineData(nameof(ISegmentFiles.Create), false)]
    [InlineData("rewrite", true)]
    public async Task A_server_that_leaves_out_one_kind_of_sync_is_found_out(string omitted, bool syncsFail)
    {
        var random = new Random(5);
        for (var point = 0; point < 3000; point += Lives)
        {
            if (await FindLossAsync(random.Next(), omitted, syncsFail) is not null)
                return;
        }

        Assert.Fail($"nothing was lost without the sync of {omitted}: the simulator does not see it");
    }

    /// <summary>Null, or what is missing, changed, or back again.</summary>
    private static async Task<string?> FindLossAsync(int seed, string? omitted, bool syncsFail = false)
    {
        var random = new Random(seed);
        using var directory = new TemporaryDirectory();
        var attic = Directory.CreateDirectory(Path.Combine(directory.Path, "attic")).FullName;
        var options = new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = random.Next(3) == 0 ? 256 << 10 : 48 << 10, Reserve = 0 };
        var history = new History();
        for (var life = 0; life < Lives; life++)
        {
            using var files = new VolatileFiles(attic, random, random.Next(1, life == 0 || syncsFail ? 400 : 150))
            {
                Omitted = omitted,
                FailedSync = syncsFail ? random.Next(1, 60) : 0,
                IsNoteRefused = omitted is not null || random.Next(2) == 0,
            };
            for (var start = 0; files.HasPower; start++)
                await LiveAsync(options, files, seed + (Writers * life) + (1000 * start), history);
        }

        await using var again = SegmentSpool.Open(options, TimeProvider.System);
        return await history.CheckAsync(again)
            ?? (again.Recovery.Quarantined.IsEmpty ? null : $"a power cut was taken for damage: {string.Join("; ", again.Recovery.Quarantined)}");
    }

    /// <summary>Until the power or a sync fails.</summary>
    private static async Task LiveAsync(SegmentSpoolOptions options, VolatileFiles files, int seed, History history)
    {
        SegmentSpool spool;
        try
        {
            spool = SegmentSpool.Open(options, TimeProvider.System, files);
        }
        catch (SpoolUnavailableException)
        {
            return;                             // it failed while the spool was being opened
        }

        await using (spool)
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(spool, new Random(seed + writer), history), Ct)));
    }

    private static async Task WriteAsync(SegmentSpool spool, Random random, History history)
    {
        var mine = new List<QueueId>();
        var removed = new List<QueueId>();
        await using var unfinished = spool.CreateDraft();
        await unfinished.AppendAsync(Samples.Content(random.Next(3) == 0 ? 70_000 : 10), Ct);
        for (var i = 1; ; i++)
        {
            var envelope = Samples.Envelope();
            var content = Samples.Content(random.Next(10) == 0 ? 130_000 : random.Next(9000), random.Next());
            history.Written[envelope.Id] = content;
            if (await Samples.TryCommitAsync(spool, content, envelope) is not SpoolCommit.Durable)
                return;
            history.Promised[envelope.Id] = (0, 0);

            // What was removed before this message was handed over was in the log before it: the sync covered both.
            removed.ForEach(id => history.Gone[id] = true);
            removed.Clear();
            mine.Add(envelope.Id);
            if (mine.Count > 3)
            {
                var old = mine[random.Next(mine.Count)];
                mine.Remove(old);
                history.Promised.TryRemove(old, out _);
                spool.Remove(old);
                removed.Add(old);
            }

            var touched = mine[random.Next(mine.Count)];
            var (acknowledged, _) = history.Promised[touched];
            history.Promised[touched] = (acknowledged, i);
            try
            {
                Assert.True(await spool.UpdateAsync(touched, spool.Find(touched)!.State with { Attempts = i }, Ct));
            }
            catch (IOException)
            {
                return;
            }

            history.Promised[touched] = (i, i);
        }
    }

    /// <summary>What the writers of all lives know.</summary>
    private sealed class History
    {
        public ConcurrentDictionary<QueueId, byte[]> Written { get; } = new();

        public ConcurrentDictionary<QueueId, (int Acknowledged, int Tried)> Promised { get; } = new();

        public ConcurrentDictionary<QueueId, bool> Gone { get; } = new();

        public async Task<string?> CheckAsync(SegmentSpool spool)
        {
            foreach (var (id, (acknowledged, tried)) in Promised)
            {
                if (spool.Find(id) is not { } entry)
                    return $"{id} is lost";
                if (entry.State.Attempts != acknowledged && entry.State.Attempts != tried)
                    return $"the state of {id} is lost";
            }

            foreach (var id in Gone.Keys)
            {
                if (spool.Find(id) is not null)
                    return $"{id} is back";
            }

            foreach (var entry in spool.List())
            {
                if (await Samples.ReadAsync(spool, entry.Envelope.Id) is not { } content || !content.SequenceEqual(Written[entry.Envelope.Id]))
                    return $"the content of {entry.Envelope.Id} has changed";
            }

            return null;
        }
    }
}
