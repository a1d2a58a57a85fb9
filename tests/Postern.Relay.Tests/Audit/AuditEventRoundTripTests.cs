using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Postern.Relay.Audit.Events;

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
        var origin = new EventOrigin(t[0], t[1], t[2]) { User = m[0], Tls = m[1], Tenant = m[5] };
        return Gen.Elements<AuditEvent>(
            new LoginEvent(at, origin, t[3], AuthOutcome.TooWeak, t[5]) { ActingAs = m[2] },
            new DecisionEvent(at, origin with { Helo = m[2] }, t[3], t[4], DecisionOutcome.Refuse, t[5], t[6], m[3]) { Reply = m[4], Chain = chain, Config = m[1] },
            new AcceptedEvent(at, origin with { Helo = m[1], Cipher = m[2], Sni = m[3] }, t[3], t[4], [.. t], next.Ticks)
            {
                EnvelopeId = m[2], Forwarded = m[3], MessageId = m[4], HeaderFrom = m[5], Subject = m[1], Source = MessageSource.Lmtp, ExpandedFrom = m[0], Refs = [t[5]],
            },
            new RefusedEvent(at, origin, t[3], t[4]),
            new DeliveryEvent(at, t[0], t[1], DeliveryOutcome.Deferred, t[3].Length, t[4])
            {
                Remote = m[0], Tls = m[1], TlsTrust = m[3], NextAttempt = m[2] is null ? null : next, Code = 450, Status = m[3], Phase = m[4], Route = m[5], DurationMs = t[2].Length, Category = m[2],
            },
            DeferralsEvent.Of([.. t.Select((text, i) => new DeliveryEvent(at - TimeSpan.FromTicks(Math.Min(at.Ticks, i * 77L)), text, t[7 - i], DeliveryOutcome.Deferred, text.Length, t[4])
            {
                Remote = m[0], Route = m[5], Category = m[2], RecipientIndex = i % 3, NextAttempt = i % 2 == 0 || at.Year > 9000 ? null : at - TimeSpan.FromTicks(Math.Min(at.Ticks, i * 77L)) + TimeSpan.FromMilliseconds(i * 1000),
            })]),
            new ExpandedEvent(at, t[0], m[0], [.. t], t[1].Length) { Owner = m[1] },
            new BounceEvent(at, t[0], m[0], t[1], t[2]),
            new AdminEvent(at, t[0], t[1], t[2]) { Via = AdminDoor.Socket, Client = m[0], Changes = [new AdminChange("limit", m[1], m[2])] },
            new ServerEvent(at, t[0], t[1]) { QueueId = m[0] },
            new LimitEvent(at, t[0], LimitState.Exceeded, t[1]) { Allowed = m[0], Used = t[2].Length, Listener = m[1], Client = m[2], User = m[3], Tenant = m[4] },
            new CoalescedEvent(at, AuditKind.Policy, t[0], next.Ticks, next) { Client = m[0], User = m[1], Detail = m[2], Code = t[1].Length, Ref = m[3] });
    });

    [Fact]
    public void Every_event_reads_back_as_it_was_written() =>
        Prop.ForAll(Events.ToArbitrary(), static audit => Same(audit, AuditEvents.Read(Write(audit)))).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

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
        var line = Encoding.ASCII.GetString(Write(new ServerEvent(AuditDirectory.Noon, "e", text)));
        Assert.Contains($"\"detail\":\"{written}\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_surrogate_is_replaced_and_does_no_harm()
    {
        var read = Assert.IsType<ServerEvent>(AuditEvents.Read(Write(new ServerEvent(AuditDirectory.Noon, "e", "a\ud83db"))));
        Assert.Equal("a\ufffdb", read.Detail);
    }

    [Fact]
    public void A_text_without_end_is_cut()
    {
        var read = Assert.IsType<ServerEvent>(AuditEvents.Read(Write(new ServerEvent(AuditDirectory.Noon, "e", new string('x', 100_000)))));
        Assert.Equal(AuditEvents.MostOctets, read.Detail.Length);
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
            var line = Write(new ServerEvent(AuditDirectory.Noon, "e", text));
            Assert.InRange(line.Length, 0, AuditEvents.MostOctets + 150);
            var read = Assert.IsType<ServerEvent>(AuditEvents.Read(line)).Detail;
            Assert.StartsWith(read.Replace("...", string.Empty, StringComparison.Ordinal), text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_hundred_recipients_are_named_and_the_others_counted()
    {
        var written = AuditDirectory.Accepted(AuditDirectory.Noon, "q") with { Recipients = [.. Enumerable.Range(0, 1_000).Select(static i => $"r{i}@far.example")] };
        var read = Assert.IsType<AcceptedEvent>(AuditEvents.Read(Write(written)));
        Assert.Equal((AuditEvents.MostRecipients, 900), (read.Recipients.Length, read.MoreRecipients));
        Assert.Equal(900, Assert.IsType<AcceptedEvent>(AuditEvents.Read(Write(read))).MoreRecipients);
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
    public void A_line_that_is_no_event_is_passed_over(string line) => Assert.Null(AuditEvents.Read(Encoding.UTF8.GetBytes(line)));

    /// <summary>Lines of the version before ids: read as they were, and with the id that the same event would have now.</summary>
    [Theory]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"login\",\"session\":\"s1\",\"listener\":\"in\",\"client\":\"192.0.2.7\",\"mechanism\":\"PLAIN\",\"outcome\":\"too_weak\",\"reason\":\"r\"}")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"accepted\",\"queue_id\":\"Q\",\"session\":\"s1\",\"listener\":\"in\",\"client\":\"192.0.2.7\",\"sender\":\"\",\"recipients\":[\"b@example.net\"],\"size\":7}")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"delivery\",\"queue_id\":\"Q\",\"recipient\":\"b@example.net\",\"outcome\":\"deferred\",\"attempt\":2,\"reply\":\"450 later\",\"next_attempt\":\"2026-11-20T13:00:00.0000000Z\"}")]
    [InlineData("{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"admin\",\"actor\":\"root\",\"action\":\"hold\",\"target\":\"Q\"}")]
    public void A_line_of_an_older_version_is_read_and_written_again_with_an_id_behind_it(string line)
    {
        var read = AuditEvents.Read(Encoding.ASCII.GetBytes(line));

        Assert.NotNull(read);
        Assert.Equal($"{line[..^1]},\"id\":\"{read.Id}\"}}", Encoding.ASCII.GetString(Write(read)));
    }

    [Fact]
    public void An_id_is_computed_from_what_happened_and_not_from_how_it_is_told()
    {
        var first = AuditDirectory.Delivery(AuditDirectory.Noon, "Q1");

        Assert.Matches("^evt_[0-9A-HJKMNP-TV-Z]{26}$", first.Id);
        Assert.Equal(first.Id, (first with { At = AuditDirectory.Noon.AddHours(1), Reply = "250 other", Remote = null }).Id);
        var others = new AuditEvent[]
        {
            first, first with { QueueId = "Q2" }, first with { RecipientIndex = 1 }, first with { Attempt = 2 }, AuditDirectory.Accepted(AuditDirectory.Noon, "Q1"),
        };
        Assert.Equal(others.Length, others.Select(static e => e.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_kind_of_event_stands_in_the_list() => Assert.Equal(
        typeof(AuditEvent).Assembly.GetTypes().Where(static t => t.IsSubclassOf(typeof(AuditEvent)) && !t.IsAbstract).Select(static t => t.Name).Order(StringComparer.Ordinal),
        AuditEvents.All.Select(NameOf).Order(StringComparer.Ordinal));

    private static string NameOf(EventType type) => $"{char.ToUpperInvariant(type.Name[0])}{type.Name[1..]}Event";

    private static byte[] Write(AuditEvent audit)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, AuditEvents.Options))
            AuditEvents.Write(json, audit);
        return line.WrittenSpan.ToArray();
    }

    private static bool Same(AuditEvent written, AuditEvent? read) => (written, read) switch
    {
        (DecisionEvent a, DecisionEvent b) => a with { Chain = default } == b with { Chain = default } && a.Chain.SequenceEqual(b.Chain),
        (AcceptedEvent a, AcceptedEvent b) => a with { Recipients = default, Refs = default } == b with { Recipients = default, Refs = default }
            && a.Recipients.SequenceEqual(b.Recipients) && a.Refs.SequenceEqual(b.Refs),
        (ExpandedEvent a, ExpandedEvent b) => a with { Recipients = default } == b with { Recipients = default } && a.Recipients.SequenceEqual(b.Recipients),
        (DeferralsEvent a, DeferralsEvent b) => a with { Parts = default } == b with { Parts = default } && a.Parts.SequenceEqual(b.Parts)
            && a.Parts.Select(static part => part.Id).SequenceEqual(b.Parts.Select(static part => part.Id)),
        (AdminEvent a, AdminEvent b) => a with { Changes = default } == b with { Changes = default } && a.Changes.SequenceEqual(b.Changes),
        _ => written == read,
    } && written.Id == read!.Id;

    private static string WithoutLoneSurrogates(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
