using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Marks outlast a restart, and a kill a second later; what else becomes of their file costs only what was marked.</summary>
public sealed class RecentMarksTests : IDisposable
{
    private const int Slots = 1024;

    private static readonly QueueId Id = QueueId.New(TimeProvider.System);

    private readonly TemporaryDirectory directory = new();
    private readonly ManualClock clock = new();

    private string MarkFile => Path.Combine(directory.Path, "marks");

    public void Dispose() => directory.Dispose();

    /// <summary>The first and the last but one of the vectors that its authors publish.</summary>
    [Theory]
    [InlineData(0, 0x726fdb47dd0e0e31)]
    [InlineData(15, 0xa129ca6149be45e5)]
    public void The_hash_is_that_of_its_authors(int length, ulong expected)
    {
        Span<byte> key = stackalloc byte[16];
        Span<byte> text = stackalloc byte[length];
        for (var i = 0; i < 16; i++)
            key[i] = (byte)i;
        for (var i = 0; i < length; i++)
            text[i] = (byte)i;

        Assert.Equal(expected, SipHash.Of(key).Of64(text));
    }

    [Fact]
    public void A_mark_is_known_again_after_a_stop_and_after_a_kill_a_second_later()
    {
        var killed = Open();
        killed.Add(Id, "b@loop.test", "hop");
        clock.Advance(TimeSpan.FromSeconds(1));
        killed.Add(Id, "late@loop.test", "hop");

        using (var again = Open())
        {
            Assert.True(again.Has(Id, "B@loop.test", "hop"));
            Assert.False(again.Has(Id, "b@loop.test", "HOP"));
            Assert.False(again.Has(new QueueId(Id.Value + 1), "b@loop.test", "hop"));
            Assert.False(again.Has(Id, "late@loop.test", "hop"));
            again.Add(Id, "c@loop.test", new string('x', 2_000));
            Assert.True(again.Take(Id, "b@loop.test", "hop"));
            Assert.False(again.Take(Id, "b@loop.test", "hop"));
        }

        using var stopped = Open();
        Assert.True(stopped.Has(Id, "c@loop.test", new string('x', 2_000)));
        Assert.False(stopped.Has(Id, "b@loop.test", "hop"));
        killed.Dispose();
    }

    [Fact]
    public void A_file_of_something_else_is_made_anew_with_a_key_of_its_own()
    {
        using (var first = Open())
            first.Add(Id, "b", "hop");
        var key = File.ReadAllBytes(MarkFile)[8..24];
        File.WriteAllText(MarkFile, "another program's");

        using (var anew = Open())
        {
            Assert.False(anew.Has(Id, "b", "hop"));
            anew.Add(Id, "b", "hop");
        }

        using var kept = Open();
        Assert.True(kept.Has(Id, "b", "hop"));
        Assert.NotEqual(key, File.ReadAllBytes(MarkFile)[8..24]);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(MarkFile));
    }

    [Fact]
    public void A_file_that_cannot_be_had_is_told_of_and_memory_does()
    {
        var told = new List<string>();
        using var marks = RecentMarks.Open(directory.Path, Slots, clock, told.Add);
        marks.Add(Id, "b", "hop");

        Assert.True(marks.Has(Id, "b", "hop"));
        Assert.Contains(directory.Path, Assert.Single(told), StringComparison.Ordinal);
    }

    private RecentMarks Open() => RecentMarks.Open(MarkFile, Slots, clock, static why => Assert.Fail(why));
}
