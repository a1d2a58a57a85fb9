using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Postern.Smtp.Events;
using Postern.Smtp.Policy;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Embedding;

/// <summary>What a server measures of itself: its own, and nothing where nobody listens.</summary>
public sealed class MetersTests
{
    [Fact]
    public async Task Each_server_measures_itself_under_a_scope_of_its_own()
    {
        await using var one = Start();
        await using var other = Start();
        using var counts = new Counts();
        await SendAsync(one);
        await SendAsync(one);
        await SendAsync(other);

        Assert.Equal(2, counts.Of(one, "postern.smtp.commands", ("verb", "DATA"), ("class", "2xx")));
        Assert.Equal(1, counts.Of(other, "postern.smtp.commands", ("verb", "DATA"), ("class", "2xx")));
        Assert.Equal(2, counts.Of(one, "postern.smtp.connections", ("listener", "in"), ("outcome", "accepted")));
        Assert.Equal(2, counts.Of(one, "postern.smtp.commands", ("verb", "DATA"), ("class", "3xx")));
        Assert.Equal(2, counts.Of(one, "postern.accept.duration", ("source", "smtp")));
    }

    [Fact]
    public async Task What_is_refused_is_counted_by_its_class_and_an_unknown_verb_is_a_question_mark()
    {
        await using var server = Start();
        using var counts = new Counts();
        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint))
        {
            await client.SayAsync("FROBNICATE now", "500");
            await client.SayAsync("RCPT TO:<b@example.net>", "503");
            await client.SayAsync("QUIT", "221");
        }

        Assert.Equal(1, counts.Of(server, "postern.smtp.commands", ("verb", "?"), ("class", "5xx")));
        Assert.Equal(1, counts.Of(server, "postern.smtp.commands", ("verb", "RCPT"), ("class", "5xx")));
        Assert.Equal(1, counts.Of(server, "postern.smtp.commands", ("verb", "QUIT"), ("class", "2xx")));
    }

    [Fact]
    public async Task Who_is_turned_away_is_counted_by_why()
    {
        await using var server = Start(static listener => listener with { Clients = [IPNetwork.Parse("192.0.2.0/24")] });
        using var counts = new Counts();
        await using (var client = await SmtpDialogue.OpenAsync(server.Endpoints[0].Endpoint))
            await client.ExpectAsync("554");
        Assert.Equal(1, counts.Of(server, "postern.smtp.connections", ("listener", "in"), ("outcome", "network")));
    }

    [Fact]
    public async Task A_server_accepts_between_its_start_and_its_stop()
    {
        await using var server = Start();
        Assert.True(server.IsAccepting);
        await server.StopAsync(TestContext.Current.CancellationToken);
        Assert.False(server.IsAccepting);
        await using var never = new SmtpServer(Options());
        Assert.False(never.IsAccepting);
    }

    [Fact]
    public void Where_nobody_listens_nothing_is_made()
    {
        using var meter = new Meter("unheard");
        var instruments = new SmtpInstruments(meter, static () => []);
        Tell(instruments);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Tell(instruments);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.False(instruments.TimesAcceptance);

        static void Tell(SmtpInstruments instruments)
        {
            instruments.Accepted("in");
            instruments.TurnedAway("in", TurnAwayCause.Overload);
            instruments.Answered("MAIL", 250);
            instruments.Handshake(facts: null);
            instruments.Stored(isLmtp: false, TimeSpan.Zero);
        }
    }

    private static SmtpServer Start(Func<SmtpListenerOptions, SmtpListenerOptions>? with = null)
    {
        var options = Options();
        options.Listeners = [(with ?? (static listener => listener))(options.Listeners[0])];
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private static SmtpServerOptions Options() => new()
    {
        Hostname = "mail.example.org",
        Listeners = [new SmtpListenerOptions { Name = "in", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
        Policy = EnvelopePolicy.AcceptFor("example.net"),
        Store = new MemoryStore(),
    };

    private static async Task SendAsync(SmtpServer server)
    {
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.StartsWith("250", await client.SendAsync("a@example.org", "b@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        await client.SayAsync("QUIT", "221");
    }

    /// <summary>All that servers of this process count, by whose it is.</summary>
    private sealed class Counts : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentDictionary<(object? Scope, string Name, string Tags), long> counts = new();

        public Counts()
        {
            listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == SmtpInstruments.MeterName)
                    listener.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, 1, tags));
            listener.Start();
        }

        public long Of(object scope, string name, params (string Name, string Value)[] tags) =>
            counts.GetValueOrDefault((scope, name, string.Join(',', tags.Select(static tag => $"{tag.Name}={tag.Value}"))));

        public void Dispose() => listener.Dispose();

        private void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => counts.AddOrUpdate(
            (instrument.Meter.Scope, instrument.Name, string.Join(',', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"))),
            value,
            (_, before) => before + value);
    }
}
