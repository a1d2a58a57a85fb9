using Postern.Relay.Spool.Resting;

namespace Postern.Relay.Tests.Spool;

/// <summary>Octets in few arrays are each message's own, and the room of those that are gone is used again.</summary>
public sealed class OctetSlabsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_comes_and_goes_everybody_keeps_its_octets(int seed)
    {
        var random = new Random(seed);
        var slabs = new OctetSlabs();
        var model = new List<(OctetSlabs.Cell Cell, byte[] Octets)>();
        for (var step = 0; step < 20_000; step++)
        {
            // It fills up, and is emptied again, twice.
            if (model.Count == 0 || random.Next(10) < (step / 5000 % 2 == 0 ? 7 : 3))
            {
                var octets = new byte[random.Next(20) == 0 ? random.Next(5000) : random.Next(120)];
                random.NextBytes(octets);
                model.Add((slabs.Add(octets), octets));
            }
            else
            {
                var i = random.Next(model.Count);
                AssertKept(model[i]);
                model[i].Cell.Free();
                model[i] = model[^1];
                model.RemoveAt(model.Count - 1);
            }
        }

        Assert.All(model, AssertKept);
        Assert.True(model.Sum(static m => (long)m.Octets.Length) <= slabs.Octets);
    }

    [Fact]
    public void The_room_of_what_is_gone_is_the_next_ones()
    {
        var slabs = new OctetSlabs();
        var cells = Enumerable.Range(0, 100_000).Select(i => slabs.Add(new byte[60 + (i % 20)])).ToList();
        var most = slabs.Octets;
        Assert.InRange(most, 100_000 * 60, 100_000 * 90);
        for (var round = 0; round < 3; round++)
        {
            for (var i = round; i < cells.Count; i += 3)
            {
                cells[i].Free();
                cells[i] = slabs.Add(new byte[60 + (i % 20)]);
            }
        }

        Assert.Equal(most, slabs.Octets);
    }

    [Fact]
    public void Arrays_of_which_nothing_is_left_are_given_back()
    {
        var slabs = new OctetSlabs();
        var cells = Enumerable.Range(0, 100_000).Select(i => slabs.Add(new byte[60 + (i % 20)])).ToList();
        cells.ForEach(static cell => cell.Free());
        Assert.InRange(slabs.Octets, 0, 1 << 18);
        var large = slabs.Add(new byte[100_000]);
        large.Free();
        Assert.InRange(slabs.Octets, 0, 1 << 18);
    }

    private static void AssertKept((OctetSlabs.Cell Cell, byte[] Octets) kept) =>
        Assert.Equal(kept.Octets, kept.Cell.Octets[..kept.Octets.Length].ToArray());
}
