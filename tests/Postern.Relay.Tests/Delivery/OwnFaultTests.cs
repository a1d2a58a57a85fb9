using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Spool;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>What this machine lacks, what its clock does and how it stops must not cost anybody a message, nor give anybody two.</summary>
public sealed class OwnFaultTests
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    public static TheoryData<Exception> Shortages() =>
    [
        new SocketException((int)SocketError.TooManyOpenSockets),
        new SocketException((int)SocketError.NoBufferSpaceAvailable),
        new SocketException((int)SocketError.SocketError),
        new IOException("Too many open files", 24),
        new IOException("Too many open files in system", 23),
        new IOException("wrapped", new IOException("No buffer space", 105)),
        new InvalidOperationException("the content cannot be read", new IOException("Input/output error", 5)),
        new InsufficientMemoryException(),
        new CryptographicException((36 << 23) | 100),
        new IOException("wrapped", new CryptographicException((11 << 23) | 0xC0100)),
        new CryptographicException(int.MinValue + 24),
    ];

    public static TheoryData<Exception> Surroundings() =>
    [
        new SocketException((int)SocketError.AddressFamilyNotSupported),
        new SocketException((int)SocketError.NetworkUnreachable),
        new SocketException((int)SocketError.NetworkDown),
        new SocketException((int)SocketError.HostUnreachable),
        new CryptographicException("ASN1 corrupted data."),
        new CryptographicException((4 << 23) | 0x72),
        new IOException("wrapped", new CryptographicException("The certificate is not what it was")),
    ];

    [Theory]
    [MemberData(nameof(Surroundings))]
    public async Task What_is_around_the_server_counts_as_an_attempt_and_holds_nothing(Exception failure)
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 1 }, clock, transport: new FakeTransport((_, _) => Task.FromException<DeliveryReport>(failure)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].LastReply is not null);

        Assert.Equal((1, false), (state.Attempts, state.Held));
        Assert.Matches("^(a key or certificate|the network) of this server", state.Recipients[0].LastReply);
    }

    [Fact]
    public async Task A_key_that_stays_broken_is_given_up_when_the_time_is_over()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, _) => Task.FromException<DeliveryReport>(new CryptographicException("broken"))));
        var id = await rig.AddAsync("ok@there.test");
        clock.Advance(TimeSpan.FromDays(6));
        rig.Scheduler.Start();

        // Under this clock it has been tried now, for the first time.
        await rig.Spool.GoneAsync(id);

        Assert.Contains(rig.Audit.Events.OfType<BounceEvent>(), b => b.QueueId == id.ToString() && b.BounceId is not null);
    }

    [Theory]
    [MemberData(nameof(Shortages))]
    public async Task A_shortage_of_ours_while_sending_defers_and_counts_neither_as_an_attempt_nor_towards_a_hold(Exception shortage)
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 1 }, clock, transport: new FakeTransport((_, _) => Task.FromException<DeliveryReport>(shortage)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].LastReply is not null);

        Assert.Equal((0, false), (state.Attempts, state.Held));
        Assert.StartsWith("not tried, as this server ran short: ", state.Recipients[0].LastReply, StringComparison.Ordinal);
        Assert.InRange(state.NextAttempt - clock.GetUtcNow(), TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task A_shortage_of_ours_while_opening_the_content_holds_nothing()
    {
        var spool = new FakeSpool { ContentFailure = static _ => new IOException("Too many open files", 24) };
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 1 }, new ManualClock(), spool, FakeTransport.ByLocalPart());
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        var state = await spool.UpdatedAsync(id, static s => s.Recipients[0].LastReply is not null);

        Assert.Equal((0, false), (state.Attempts, state.Held));
        Assert.Contains("too many files are open in this process", state.Recipients[0].LastReply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shortage_of_ours_past_the_time_to_give_up_bounces_nothing()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, _) => Task.FromException<DeliveryReport>(new InsufficientMemoryException())));
        var id = await rig.AddAsync("ok@there.test");
        clock.Advance(TimeSpan.FromDays(6));
        rig.Scheduler.Start();

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].LastReply is not null);

        Assert.Equal(RecipientStatus.Pending, state.Recipients[0].Status);
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    /// <summary>As with content that the disk gives EIO for: tried on for ever, but not in silence.</summary>
    [Fact]
    public async Task What_cannot_be_read_for_an_hour_is_told_to_the_postmaster_once_and_tried_on()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(
            ToFake with { ShortagesBeforeWord = 3 }, clock, transport: new FakeTransport((_, _) => Task.FromException<DeliveryReport>(new IOException("Input/output error", 5))));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        for (var i = 0; i < 6; i++)
        {
            await rig.Spool.UpdatedAsync(id, s => s.NextAttempt > clock.GetUtcNow());
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        var word = Assert.Single(rig.Audit.Events.OfType<BounceEvent>(), b => b.QueueId == id.ToString());
        Assert.NotNull(word.BounceId);
        Assert.Contains("not tried for errors here: ", word.Reason, StringComparison.Ordinal);
        Assert.Contains("EIO", word.Reason, StringComparison.Ordinal);
        Assert.Equal(RecipientStatus.Pending, rig.Spool.Find(id)!.State.Recipients[0].Status);
    }

    [Fact]
    public async Task A_clock_set_forward_gives_nothing_up_before_an_attempt_under_the_new_time()
    {
        var clock = new ManualClock();
        var first = new TaskCompletionSource<DeliveryReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = 0;
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, _) =>
            Interlocked.Increment(ref attempts) == 1 ? first.Task : Task.FromResult(new DeliveryReport([FakeTransport.Delivered], Reached: true))));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");

        clock.Set(TimeSpan.FromDays(3650));
        var stored = rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        first.SetResult(new DeliveryReport([FakeTransport.Later], Reached: true));
        Assert.Equal(RecipientStatus.Pending, (await stored).Recipients[0].Status);
        Assert.Contains(rig.Audit.Events.OfType<ServerEvent>(), static e => e.Event == "clock_jumped" && e.Detail.StartsWith("the clock was set forward by 87600.0 hours", StringComparison.Ordinal));

        Assert.True(SpinWait.SpinUntil(() => rig.Scheduler.Statistics().Waiting == 1, TimeSpan.FromSeconds(20)));
        clock.Advance(TimeSpan.FromMinutes(2));
        await rig.Spool.GoneAsync(id);
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    [Fact]
    public async Task A_clock_set_back_makes_no_retry_wait_for_years()
    {
        var clock = new ManualClock(new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var attempts = 0;
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, _) =>
            Task.FromResult(new DeliveryReport([Interlocked.Increment(ref attempts) == 1 ? FakeTransport.Later : FakeTransport.Delivered], Reached: true))));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        Assert.True(SpinWait.SpinUntil(() => rig.Scheduler.Statistics().Waiting == 1, TimeSpan.FromSeconds(20)));

        clock.Set(TimeSpan.FromDays(-3650));
        clock.Advance(TimeSpan.FromHours(1));

        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task A_start_before_the_newest_message_is_told()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        await rig.AddAsync("ok@there.test");
        clock.Set(TimeSpan.FromDays(-1));

        rig.Scheduler.Start();

        Assert.Contains(rig.Audit.Events.OfType<ServerEvent>(), static e => e.Event == "clock_jumped" && e.Detail.StartsWith("the clock stands before the newest message", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_waits_for_the_answer_to_the_final_dot_and_for_nothing_before_it(bool isBehindDot)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var step = isBehindDot ? "dot" : "mail";
        using var server = new TcpListener(IPAddress.Loopback, port: 0);
        server.Start();
        var serving = ServeAsync(server, step, reached, answer.Task);
        var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", ((IPEndPoint)server.LocalEndpoint).Port)));
        await using var _ = rig;
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        var stopping = rig.Scheduler.StopAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        if (isBehindDot)
            answer.SetResult();
        await stopping.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        answer.TrySetResult();
        await serving;

        Assert.Equal(isBehindDot ? null : id, rig.Spool.Find(id)?.Envelope.Id);
    }

    [Fact]
    public void A_reply_is_cut_to_a_kibibyte_when_it_becomes_an_outcome_or_a_state()
    {
        var reply = "550 5.1.1 " + new string('x', 28_000);

        var outcome = new Outcome.Failed("there", reply, Tls: null, "5.1.1");
        var prefixed = new Outcome.Deferred("there", "ok", Tls: null) with { Reply = reply };

        Assert.All([outcome.Reply, prefixed.Reply, new RecipientState(RecipientStatus.Failed, reply).LastReply!], static kept =>
        {
            Assert.Equal(1024, kept.Length);
            Assert.EndsWith("x [cut]", kept, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_reply_is_cut_between_characters()
    {
        var kept = new Outcome.Deferred("there", string.Concat(Enumerable.Repeat("\U0001F600", 1000)), Tls: null).Reply;

        Assert.True(System.Text.Encoding.UTF8.GetByteCount(kept) <= 1024);
        Assert.DoesNotContain('\uFFFD', kept);
        Assert.False(char.IsHighSurrogate(kept[^7]));
    }

    [Fact]
    public async Task A_thousand_recipients_that_are_told_the_same_keep_one_text()
    {
        var words = new string('x', 1900);
        await using var sink = new ScriptedSink(new SinkOptions { Script = (phase, _, _) => phase == SinkPhase.Rcpt ? new SinkAction.Reply("450 4.2.0 " + words) : null });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync([.. Enumerable.Range(0, 100).Select(static i => $"r{i}@there.test")]);

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Assert.Single(state.Recipients.Select(static r => r.LastReply!).Distinct(ReferenceEqualityComparer.Instance));
    }

    private static async Task ServeAsync(TcpListener server, string step, TaskCompletionSource reached, Task answer)
    {
        using var client = await server.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        await using var writer = new StreamWriter(stream) { AutoFlush = true, NewLine = "\r\n" };
        try
        {
            await writer.WriteLineAsync("220 there");
            var isContent = false;
            while (await reader.ReadLineAsync() is { } line)
            {
                var at = isContent ? line == "." ? "dot" : null : line.Split(' ')[0].ToLowerInvariant();
                if (at is null)
                    continue;
                if (at == step)
                {
                    reached.TrySetResult();
                    await answer;
                }

                isContent = at == "data";
                await writer.WriteLineAsync(at == "data" ? "354 Go" : "250 Ok");
            }
        }
        catch (IOException)
        {
            // The client left.
        }
    }
}
