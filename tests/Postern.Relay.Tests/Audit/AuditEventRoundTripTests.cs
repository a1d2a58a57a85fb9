using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Postern.Relay.Audit;

namespace Postern.Relay.Tests.Audit;

/// <summary>What is written is one safe line, and reads back as the same event.</summary>
public sealed class AuditEventRoundTripTests
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Elements("", "alice@example.org", "a\r\n{\"at\":\"x\"}", "\u001b[31mred\u001b[0m", "\u202egnp.exe", "%s%n", "\"\\", "j\u00fcrgen", "\u2028\u0085\u007f", "\ud83d\ude00"),
        ArbMap.Default.GeneratorFor<NonNull<string>>().Select(static text => WithoutLoneSurrogates(text.Item)));

    private static readonly Gen<string?> Maybes = Gen.OneOf(Gen.Constant<string?>(null), Texts.Select(static text => (string?)text));

    private static readonly Gen<DateTimeOffset> Times =
        Gen.Choose(0, int.MaxValue).Two().Select(static t => new DateTimeOffset((((long)t.Item1 << 31) | (uint)t.Item2) % DateTime.MaxValue.Ticks, TimeSpan.Zero));

    private static readonly Gen<ImmutableArray<RuleStep>> Chains =
        Texts.Four().Zip(Maybes).Select(static t => new RuleStep(t.Item1.Item1, t.Item1.Item2, t.Item1.Item3, t.Item2)).ArrayOf().Select(static steps => steps.ToImmutableArray());

    private static readonly Gen<AuditEvent> Events = Texts.ArrayOf(8).Zip(Maybes.ArrayOf(6)).Zip(Times.Two()).Zip(Chains).SelectMany(static f =>
    {
        var (((t, m), (at, next)), chain) = f;
        return Gen.Elements<AuditEvent>(
            new AuditEvent.Login(at, t[0], t[1], t[2], t[3], m[0], m[1], t[4], t[5], m[2]),
            new AuditEvent.Decision(at, t[0], t[1], t[2], t[3], m[0], m[1], m[2], t[4], t[5], m[3], t[6], t[7], m[4], chain),
            new AuditEvent.Accepted(at, t[0], t[1], t[2], t[3], m[0], t[4], [.. t], next.Ticks, m[1]) { EnvelopeId = m[2], Forwarded = m[3], MessageId = m[4], HeaderFrom = m[5] },
            new AuditEvent.Refused(at, t[0], t[1], t[2], m[0], t[3], t[4]),
            new AuditEvent.Delivery(at, t[0], t[1], t[2], t[3].Length, m[0], t[4], m[1], m[2] is null ? null : next),
            new AuditEvent.Bounce(at, t[0], m[0], t[1], t[2]),
            new AuditEvent.Admin(at, t[0], t[1], t[2]),
            new AuditEvent.Server(at, t[0], t[1]));
    });

    [Fact]
    public void Every_event_reads_back_as_it_was_written() =>
        Prop.ForAll(Events.ToArbitrary(), static audit => Same(audit, AuditEventReader.Read(Write(audit)))).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Every_event_is_one_line_of_printable_ascii() =>
        Prop.ForAll(Events.ToArbitrary(), static audit => Write(audit).AsSpan().IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Theory]
    [InlineData("a\r\nb", "a\\u000D\\u000Ab")]
    [InlineData("\u001b[2J", "\\u001B[2J")]
    [InlineData("\u202ecod", "\\u202Ecod")]
    [InlineData("\u009b1m", "\\u009B1m")]
    [InlineData("<a+b@c>&'`/", "<a+b@c>&'`/")]
    [InlineData("q\"\\", "q\\u0022\\u005C")]
    [InlineData("\ud83d\ude00", "\\uD83D\\uDE00")]
    public void What_came_from_the_network_is_escaped(string text, string written)
    {
        var line = Encoding.ASCII.GetString(Write(new AuditEvent.Server(AuditDirectory.Noon, "e", text)));
        Assert.Contains($"\"detail\":\"{written}\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_surrogate_is_replaced_and_does_no_harm()
    {
        var read = Assert.IsType<AuditEvent.Server>(AuditEventReader.Read(Write(new AuditEvent.Server(AuditDirectory.Noon, "e", "a\ud83db"))));
        Assert.Equal("a\ufffdb", read.Detail);
    }

    [Fact]
    public void A_text_without_end_is_cut()
    {
        var read = Assert.IsType<AuditEvent.Server>(AuditEventReader.Read(Write(new AuditEvent.Server(AuditDirectory.Noon, "e", new string('x', 100_000)))));
        Assert.Equal(AuditEventWriter.MostOctets, read.Detail.Length);
        Assert.EndsWith("x...", read.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("\u00e9")]
    [InlineData("\ud83d\ude00")]
    [InlineData("x\ud83d\ude00")]
    public void Every_text_is_a_kibibyte_at_most_as_it_is_written_and_cut_between_characters(string character)
    {
        for (var length = 100; length < 3_000; length += 7)
        {
            var text = string.Concat(Enumerable.Repeat(character, length));
            var line = Write(new AuditEvent.Server(AuditDirectory.Noon, "e", text));
            Assert.InRange(line.Length, 0, AuditEventWriter.MostOctets + 100);
            var read = Assert.IsType<AuditEvent.Server>(AuditEventReader.Read(line)).Detail;
            Assert.StartsWith(read.Replace("...", string.Empty, StringComparison.Ordinal), text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_hundred_recipients_are_named_and_the_others_counted()
    {
        var written = AuditDirectory.Accepted(AuditDirectory.Noon, "q") with { Recipients = [.. Enumerable.Range(0, 1_000).Select(static i => $"r{i}@far.example")] };
        var read = Assert.IsType<AuditEvent.Accepted>(AuditEventReader.Read(Write(written)));
        Assert.Equal((AuditEventWriter.MostRecipients, 900), (read.Recipients.Length, read.MoreRecipients));
        Assert.Equal(900, Assert.IsType<AuditEvent.Accepted>(AuditEventReader.Read(Write(read))).MoreRecipients);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\"}")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"from a later version\"}")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"server\",\"what\":7,\"detail\":\"d\"}")]
    [InlineData("{\"at\":\"noon\",\"event\":\"server\",\"what\":\"e\",\"detail\":\"d\"}")]
    public void A_line_that_is_no_event_is_passed_over(string line) => Assert.Null(AuditEventReader.Read(Encoding.UTF8.GetBytes(line)));

    private static byte[] Write(AuditEvent audit)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, AuditEventWriter.Options))
            AuditEventWriter.Write(json, audit);
        return line.WrittenSpan.ToArray();
    }

    private static bool Same(AuditEvent written, AuditEvent? read) => (written, read) switch
    {
        (AuditEvent.Decision a, AuditEvent.Decision b) => a with { Chain = default } == b with { Chain = default } && a.Chain.SequenceEqual(b.Chain),
        (AuditEvent.Accepted a, AuditEvent.Accepted b) => a with { Recipients = default } == b with { Recipients = default } && a.Recipients.SequenceEqual(b.Recipients),
        _ => written == read,
    };

    private static string WithoutLoneSurrogates(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
