using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>Messages are found by id and by order of arrival, whatever came and went before.</summary>
public sealed class SpoolIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_table_and_a_dictionary_agree(int seed)
    {
        var random = new Random(seed);
        var (table, model) = (new MessageTable(), new Dictionary<QueueId, StoredMessage>());
        for (var step = 0; step < 60_000; step++)
        {
            // So few different ids that they stand in each other's way, and are asked for when they are not there.
            var id = new QueueId(((UInt128)random.Next(2) << 32) | (uint)random.Next(step / 20_000 % 2 == 0 ? 4000 : 300));
            if (random.Next(3) > 0 && !model.ContainsKey(id))
            {
                model.Add(id, Message(id, 0));
                table.Add(model[id]);
            }
            else
            {
                Assert.Equal(model.Remove(id, out var expected), table.Remove(id, out var removed));
                Assert.Same(expected, removed);
            }

            Assert.Equal(model.ContainsKey(id), table.TryFind(id, out var found));
            Assert.Same(model.GetValueOrDefault(id), found);
            Assert.Equal(model.Count, table.Count);
        }

        Assert.Equal(model.Values.ToHashSet(), table.All.ToHashSet());
        Assert.All(model, pair => Assert.True(table.TryFind(pair.Key, out var found) && found == pair.Value));
        Assert.NotEmpty(model);
        foreach (var id in model.Keys)
            Assert.True(table.Remove(id, out _));
        Assert.Empty(table.All);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_order_of_arrival_is_that_of_a_list(int seed)
    {
        var random = new Random(seed);
        var (arrivals, model) = (new ArrivalOrder(), new List<StoredMessage>());
        for (var step = 0; step < 8000; step++)
        {
            // Grows, is thinned out, and grows again; numbers have gaps, and ids are older than the messages that came before.
            if (model.Count == 0 || random.Next(10) < (step / 2000 % 2 == 0 ? 8 : 2))
            {
                var order = (model.Count == 0 ? 0 : model[^1].Order) + 1 + (ulong)random.Next(3);
                model.Add(Message(new QueueId(((UInt128)(ulong)Math.Max(0, step - random.Next(300)) << 80) | (uint)step), order));
                arrivals.Append(model[^1]);
            }
            else
            {
                var i = random.Next(model.Count);
                arrivals.Remove(model[i]);
                model.RemoveAt(i);
            }

            if (step % 100 != 0)
                continue;
            Assert.Equal(model, arrivals.From(0));
            var number = (ulong)random.Next(step + 1);
            Assert.Equal(model.Where(m => m.Order >= number), arrivals.From(number));
            var time = DateTimeOffset.FromUnixTimeMilliseconds(random.Next(step + 1));
            Assert.Same(model.Find(m => m.Id.CreatedAt >= time), arrivals.Since(time));
        }

        foreach (var message in model)
            arrivals.Remove(message);
        Assert.Empty(arrivals.From(0));
    }

    private static StoredMessage Message(QueueId id, ulong order) => new(id, order, entry: null, new MessageLocation(default, 0, []));
}
