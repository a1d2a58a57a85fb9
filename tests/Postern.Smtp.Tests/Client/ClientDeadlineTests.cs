using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>How long a transaction may take as a whole, whatever each of its commands may.</summary>
public sealed class ClientDeadlineTests
{
    private readonly ManualClock clock = new();

    private SmtpClientOptions Options => new()
    {
        Hostname = Domain.Parse("client.test"),
        Clock = clock,
        Timeouts = SmtpTimeouts.Default with { Transaction = TimeSpan.FromMinutes(7) },
    };

    private static OutgoingMessage Message(params string[] recipients) =>
        new(new ReversePath(Mailbox.Parse("a@here.test")), [.. recipients.Select(Mailbox.Parse)], new ByteContent("Subject: 1\r\n\r\nx\r\n"));

    private async Task<SmtpClientDialogue> OpenAsync(ScriptedSink sink)
    {
        var dialogue = await SinkClient.ConnectAsync(sink, Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        return dialogue;
    }

    /// <summary>In steps: a timer may be set at any moment of them.</summary>
    private async Task PassAsync(Func<bool> isSo)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            await Task.Delay(1, late.Token);
        }
    }

    [Fact]
    public async Task Commands_that_are_answered_just_in_time_have_the_deadline_of_the_transaction()
    {
        var release = new SemaphoreSlim(0);
        var asked = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = [],
            Script = (phase, _, _) =>
            {
                if (phase != SinkPhase.Rcpt)
                    return null;
                Interlocked.Increment(ref asked);
                return new SinkAction.After(release.WaitAsync());
            },
        });
        await using var dialogue = await OpenAsync(sink);
        var begun = clock.GetUtcNow();
        var sending = dialogue.SendAsync(Message("b@there.test", "c@there.test", "d@there.test", "e@there.test"), following: null, CancellationToken.None).AsTask();
        // Each after four of the five minutes that it has.
        for (var i = 1; i <= 2 && !sending.IsCompleted; i++)
        {
            await PassAsync(() => Volatile.Read(ref asked) >= i || sending.IsCompleted);
            var since = clock.GetUtcNow();
            await PassAsync(() => clock.GetUtcNow() - since >= TimeSpan.FromMinutes(3) || sending.IsCompleted);
            release.Release();
        }

        await PassAsync(() => sending.IsCompleted);
        var broken = Assert.IsType<ClientAnswer.Broken>((await sending)[^1]);
        Assert.Equal((ClientPhase.Rcpt, ClientFault.Timeout, "the transaction was not over within 420 s"), (broken.Phase, broken.Fault, broken.Detail));
        Assert.InRange((clock.GetUtcNow() - begun).TotalMinutes, 6.9, 60);
        release.Release(10);
    }

    [Fact]
    public async Task The_answer_to_the_end_of_data_has_its_ten_minutes_whatever_is_left_of_the_transaction()
    {
        var (release, asked) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, _) =>
            {
                if (phase != SinkPhase.EndOfData)
                    return null;
                asked.TrySetResult();
                return new SinkAction.After(release.Task);
            },
        });
        await using var dialogue = await OpenAsync(sink);
        dialogue.Hold(TimeSpan.FromMinutes(1), minimumRate: 1);
        var sending = dialogue.SendAsync(Message("b@there.test"), following: null, CancellationToken.None).AsTask();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var since = clock.GetUtcNow();
        await PassAsync(() => clock.GetUtcNow() - since >= TimeSpan.FromMinutes(9));
        Assert.False(sending.IsCompleted);
        release.SetResult();
        Assert.IsType<ClientAnswer.Accepted>((await sending.WaitAsync(TimeSpan.FromSeconds(30)))[0]);
    }

    [Fact]
    public async Task A_server_that_never_answers_the_end_of_data_has_eleven_minutes_at_most()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.EndOfData, new SinkAction.Hang()));
        await using var dialogue = await OpenAsync(sink);
        var sending = dialogue.SendAsync(Message("b@there.test"), following: null, CancellationToken.None).AsTask();
        await PassAsync(() => sending.IsCompleted);
        var broken = Assert.IsType<ClientAnswer.Broken>((await sending)[0]);
        Assert.Equal((ClientPhase.EndOfData, "no reply within 600 s"), (broken.Phase, broken.Detail));
    }

    [Fact]
    public void Nothing_is_no_limit() => Assert.All(
        (Action<SmtpClientDialogue>[])[static d => d.Hold(TimeSpan.Zero, 1), static d => d.Hold(TimeSpan.FromSeconds(1), 0)],
        static hold => Assert.Throws<ArgumentOutOfRangeException>(() => hold(new SmtpClientDialogue(Stream.Null, new SmtpClientOptions { Hostname = Domain.Parse("client.test") }))));
}
