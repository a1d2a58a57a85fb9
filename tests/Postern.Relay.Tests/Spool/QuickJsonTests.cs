using System.Text;
using System.Text.Json;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>What is read by hand is what the serializer reads.</summary>
public sealed class QuickJsonTests
{
    [Fact]
    public void A_record_that_is_read_by_hand_is_the_same()
    {
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var entry = RestingEntryTests.AnyEntry(random);
            var json = Written(StoredEnvelope.Of(entry.Envelope, entry.State));
            if (QuickJson.Envelope(json) is { } envelope)
                Assert.Equal(json, Written(envelope));
            var state = JsonSerializer.SerializeToUtf8Bytes(StoredState.Of(entry.State), SpoolJson.Default.StoredState);
            if (QuickJson.State(state) is { } quick)
                Assert.Equal(state, JsonSerializer.SerializeToUtf8Bytes(quick, SpoolJson.Default.StoredState));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Nearly_all_are_read_by_hand(int recipients)
    {
        var envelope = Samples.Envelope(recipients);
        var fresh = Samples.FreshState(envelope);
        var tried = fresh with { Attempts = 3, TriedAt = envelope.ArrivedAt, Recipients = [.. fresh.Recipients.Select(static _ => new RecipientState(RecipientStatus.Pending, "connect: refused"))] };
        var away = tried with { Recipients = [.. tried.Recipients.Select(static r => r with { Answer = new(Code: null, Status: null, "unreachable", IsVerbatim: false) })] };
        var refused = tried with { Recipients = [.. tried.Recipients.Select(static r => r with { Answer = new(450, "4.2.1", Trouble: null, IsVerbatim: true) })] };
        foreach (var state in (DeliveryState[])[fresh, tried, away, refused])
        {
            Assert.Equal(Written(StoredEnvelope.Of(envelope, state)), Written(QuickJson.Envelope(Written(StoredEnvelope.Of(envelope, state)))!));
            Assert.NotNull(QuickJson.State(JsonSerializer.SerializeToUtf8Bytes(StoredState.Of(state), SpoolJson.Default.StoredState)));
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"v":1,"arrived":"2026-11-20T10:00:00+01:00","from":"a@example.org","to":["b@example.com"]}""")]
    [InlineData("""{"v":1,"arrived":"yesterday","from":"a@example.org","to":["b@example.com"],"state":{"next":"2026-11-20T10:00:00+01:00"}}""")]
    [InlineData("""{"v":1,"arrived":"2026-11-20T10:00:00+01:00","from":null,"to":["b@example.com"],"state":{"next":"2026-11-20T10:00:00+01:00"}}""")]
    [InlineData("""{"v":1,"arrived":"2026-11-20T10:00:00+01:00","from":"a@example.org","to":["b@example.com",7],"state":{"next":"2026-11-20T10:00:00+01:00"}}""")]
    [InlineData("""{"v":1,"arrived":"2026-11-20T10:00:00+01:00","from":"a@example.org","to":["\\ud800@example.com"],"state":{"next":"2026-11-20T10:00:00+01:00"}}""")]
    [InlineData("""{"v":9,"new":1,"arrived":"2026-11-20T10:00:00+01:00","from":"a@example.org","to":["b@example.com"],"state":{"next":"2026-11-20T10:00:00+01:00"}}""")]
    public void What_is_anything_else_is_left_to_the_serializer(string json)
    {
        Assert.Null(QuickJson.Envelope(Encoding.UTF8.GetBytes(json)));
        Assert.Null(QuickJson.State(Encoding.UTF8.GetBytes(json is "{}" ? "7" : json)));
    }

    private static byte[] Written(StoredEnvelope envelope) => JsonSerializer.SerializeToUtf8Bytes(envelope, SpoolJson.Default.StoredEnvelope);
}
