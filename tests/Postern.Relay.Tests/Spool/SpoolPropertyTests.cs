using Postern.Relay.Envelopes;

namespace Postern.Relay.Tests.Spool;

/// <summary>Random lives of a spool, with restarts, against a model of a few lines.</summary>
public sealed class SpoolPropertyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task A_spool_and_its_model_agree_over_any_sequence_of_operations(int seed)
    {
        using var home = new SpoolHome { SegmentSize = 96 << 10 };
        var random = new Random(seed);
        var model = new List<(QueueId Id, byte[] Content, string Entry)>();
        var ended = new List<(QueueId Id, string Entry)>();
        var spool = home.Open();
        for (var step = 0; step < 400; step++)
        {
            var chosen = model.Count > 0 ? random.Next(model.Count) : -1;
            switch (random.Next(12))
            {
                case < 5:
                    var content = Samples.Content(random.Next(10) == 0 ? random.Next(200_000) : random.Next(6000), (seed * 1000) + step);
                    var id = await Samples.CommitAsync(spool, content, Samples.Envelope(1 + random.Next(4)));
                    model.Add((id, content, Samples.Describe(spool.Find(id)!)));
                    break;
                case < 7 when chosen >= 0:
                    ended.Add((model[chosen].Id, Samples.Describe(await Samples.EndAsync(spool, model[chosen].Id, $"250 {step}"))));
                    model.RemoveAt(chosen);
                    break;
                case 7 when ended.Count > 20:
                    Assert.Equal(10, await spool.RemoveAllAsync([.. ended[..10].Select(static e => e.Id)], Ct));
                    ended.RemoveRange(0, 10);
                    break;
                case 7 when chosen >= 0:
                    Assert.True(spool.Remove(model[chosen].Id));
                    model.RemoveAt(chosen);
                    break;
                case < 10 when chosen >= 0:
                    var state = spool.Find(model[chosen].Id)!.State with { Attempts = step, Held = step % 2 == 0 };
                    Assert.True(await spool.UpdateAsync(model[chosen].Id, state, Ct));
                    model[chosen] = model[chosen] with { Entry = Samples.Describe(spool.Find(model[chosen].Id)! with { State = state }) };
                    break;
                case 10:
                    await using (var draft = spool.CreateDraft())
                        await draft.AppendAsync(Samples.Content(random.Next(150_000)), Ct);
                    break;
                case 11 when random.Next(4) == 0:
                    await spool.DisposeAsync();
                    spool = home.Open();
                    Assert.True(spool.Recovery.IsClean, $"step {step}: {string.Join("; ", spool.Recovery.Quarantined.Concat(spool.Recovery.TornTails))}");
                    break;
                default:
                    break;
            }

            Assert.Equal(model.Select(static m => m.Entry), spool.List().Select(Samples.Describe));
            Assert.Equal(ended.Select(static e => e.Entry).Order(), (await spool.ListEndedAsync(Ct)).Select(Samples.Describe).Order());
        }

        await spool.DisposeAsync();
        await using var last = home.Open();
        Assert.Equal(model.Select(static m => m.Entry), last.List().Select(Samples.Describe));
        foreach (var (id, content, _) in model)
            Assert.Equal(content, await Samples.ReadAsync(last, id));
    }
}
