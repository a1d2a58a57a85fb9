using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Spool;

/// <summary>What every spool must do; each kind of spool runs all of it.</summary>
public abstract class SpoolContract
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract ISpool Spool { get; }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(16_000)]
    [InlineData(16_384)]
    [InlineData(65_463)]
    [InlineData(65_464)]
    [InlineData(65_465)]
    [InlineData(1_000_003)]
    public async Task Content_comes_back_as_it_went_in(int length)
    {
        var content = Samples.Content(length);
        var id = await Samples.CommitAsync(Spool, content);
        Assert.Equal(content, await Samples.ReadAsync(Spool, id));
        Assert.Equal(length, Spool.Find(id)!.Size);
    }

    [Fact]
    public async Task Content_may_be_appended_in_pieces_of_any_size()
    {
        var content = Samples.Content(200_000);
        var envelope = Samples.Envelope();
        await using var draft = Spool.CreateDraft();
        var pieces = new Random(5);
        for (var done = 0; done < content.Length;)
        {
            var count = Math.Min(pieces.Next(0, 9000), content.Length - done);
            var piece = content.AsSpan(done, count).ToArray();
            await draft.AppendAsync(piece, Ct);
            Array.Clear(piece);                 // the draft has its own copy
            done += count;
            Assert.Equal(done, draft.Length);
        }

        Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
        Assert.Equal(content, await Samples.ReadAsync(Spool, envelope.Id, step: 777));
    }

    [Fact]
    public async Task Content_can_be_read_from_any_offset()
    {
        var content = Samples.Content(200_000);
        var id = await Samples.CommitAsync(Spool, content);
        using var reader = Spool.OpenContent(id)!;
        var buffer = new byte[5000];
        foreach (var offset in new[] { 199_999, 0, 65_460, 130_900, 65_464, 12_345 })
        {
            var count = await reader.ReadAsync(offset, buffer, Ct);
            Assert.InRange(count, 1, buffer.Length);
            Assert.Equal(content.AsSpan(offset, count), buffer.AsSpan(0, count));
        }
    }

    [Fact]
    public async Task An_entry_carries_the_envelope_and_the_state()
    {
        var envelope = Samples.Envelope(recipients: 3);
        var state = Samples.FreshState(envelope) with { Held = true };
        await using var draft = Spool.CreateDraft();
        var committed = Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, state, Ct)).Entry;
        Assert.Equal(Samples.Describe(new SpoolEntry(envelope, 0, state)), Samples.Describe(committed));
        Assert.Equal(Samples.Describe(committed), Samples.Describe(Spool.Find(envelope.Id)!));
    }

    [Fact]
    public async Task What_mail_and_rcpt_asked_for_is_kept()
    {
        var envelope = Samples.Asking();
        var state = Samples.FreshState(envelope) with { Reported = DelayReports.Late | DelayReports.Overdue };
        await using var draft = Spool.CreateDraft();
        await draft.CommitAsync(envelope, state, Ct);
        var found = Spool.Find(envelope.Id)!;
        Assert.Equal(envelope.Parameters, found.Envelope.Parameters);
        Assert.Equal(envelope.Said.RecipientParameters, found.Envelope.Said.RecipientParameters);
        Assert.Equal((envelope.Deadline, true, true), (found.Envelope.Deadline, found.Envelope.HasUtf8Header, found.Envelope.IsInbound));
        Assert.Equal(state.Reported, found.State.Reported);
    }

    [Fact]
    public async Task A_page_is_taken_from_the_order_of_arrival()
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < 5; i++)
            ids.Add(await Samples.CommitAsync(Spool, Samples.Content(10)));
        Assert.Equal(ids[..2], Spool.List(after: null, most: 2)!.Select(static e => e.Envelope.Id));
        Assert.Equal(ids[2..4], Spool.List(ids[1], most: 2)!.Select(static e => e.Envelope.Id));
        Assert.Empty(Spool.List(ids[4], most: 2)!);
        Spool.Remove(ids[1]);
        // Behind the place where it was.
        Assert.Equal(ids[2..], Spool.List(ids[1], most: 10).Select(static e => e.Envelope.Id).SkipWhile(id => id != ids[2]));
        Assert.Equal(ids[2], Spool.List(ids[0], most: 1)!.Single().Envelope.Id);
    }

    [Fact]
    public async Task A_null_sender_and_absent_facts_are_kept_as_such()
    {
        var envelope = Samples.Envelope() with { Said = Samples.Envelope().Said with { Sender = ReversePath.Null, Parameters = MailParameters.None }, Login = null, Client = null, Listener = null };
        var id = await Samples.CommitAsync(Spool, Samples.Content(10), envelope);
        var found = Spool.Find(id)!.Envelope;
        Assert.True(found.Sender.IsNull);
        Assert.Null(found.Login);
        Assert.Null(found.Client);
        Assert.Null(found.Listener);
        Assert.False(found.Is8Bit);
    }

    [Fact]
    public async Task A_message_is_invisible_until_it_is_committed()
    {
        var envelope = Samples.Envelope();
        await using var draft = Spool.CreateDraft();
        await draft.AppendAsync(Samples.Content(100_000), Ct);
        Assert.Equal(0, Spool.Count);
        Assert.Null(Spool.Find(envelope.Id));
        Assert.Null(Spool.OpenContent(envelope.Id));
        await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct);
        Assert.Equal(1, Spool.Count);
    }

    [Fact]
    public async Task A_draft_that_is_given_up_leaves_nothing()
    {
        await using (var draft = Spool.CreateDraft())
            await draft.AppendAsync(Samples.Content(300_000), Ct);
        Assert.Equal(0, Spool.Count);
        Assert.Empty(Spool.List());
    }

    [Fact]
    public async Task The_list_is_in_order_of_arrival_and_does_not_change_afterwards()
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < 20; i++)
            ids.Add(await Samples.CommitAsync(Spool, Samples.Content(10)));
        Spool.Remove(ids[3]);
        Spool.Remove(ids[0]);
        Spool.Remove(ids[19]);
        var list = Spool.List();
        Spool.Remove(ids[5]);
        ids.RemoveAt(19);
        ids.RemoveAt(3);
        ids.RemoveAt(0);
        Assert.Equal(ids, list.Select(static entry => entry.Envelope.Id));
    }

    [Fact]
    public async Task A_new_state_replaces_the_old_one()
    {
        var envelope = Samples.Envelope(recipients: 2);
        var id = await Samples.CommitAsync(Spool, Samples.Content(10), envelope);
        var state = new DeliveryState(3, envelope.ArrivedAt.AddHours(2), Held: false,
            [new(RecipientStatus.Delivered, "250 ok"), new(RecipientStatus.Pending, "451 \"später\"\r\nzwei")]);
        Assert.True(await Spool.UpdateAsync(id, state, Ct));
        Assert.Equal(Samples.Describe(state), Samples.Describe(Spool.Find(id)!.State));
        Assert.Equal(Samples.Describe(state), Samples.Describe(Spool.List()[0].State));
    }

    [Fact]
    public async Task Updating_a_message_that_is_not_there_is_false()
    {
        var id = await Samples.CommitAsync(Spool, Samples.Content(10));
        var state = Spool.Find(id)!.State;
        Assert.True(Spool.Remove(id));
        Assert.False(await Spool.UpdateAsync(id, state, Ct));
    }

    [Fact]
    public async Task A_removed_message_is_gone_at_once_and_only_once()
    {
        var id = await Samples.CommitAsync(Spool, Samples.Content(10));
        Assert.True(Spool.Remove(id));
        Assert.False(Spool.Remove(id));
        Assert.Null(Spool.Find(id));
        Assert.Null(Spool.OpenContent(id));
        Assert.Equal(0, Spool.Count);
    }

    [Fact]
    public async Task Open_content_outlives_removal()
    {
        var content = Samples.Content(150_000);
        var id = await Samples.CommitAsync(Spool, content);
        using var reader = Spool.OpenContent(id)!;
        Spool.Remove(id);
        var all = new byte[content.Length];
        for (var done = 0; done < all.Length;)
            done += await reader.ReadAsync(done, all.AsMemory(done), Ct);
        Assert.Equal(content, all);
    }

    [Fact]
    public async Task Commit_is_announced_when_the_message_can_be_found()
    {
        var seen = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Spool.Committed += entry => seen.TrySetResult(Spool.Find(entry.Envelope.Id) is not null);
        await Samples.CommitAsync(Spool, Samples.Content(10));
        Assert.True(await seen.Task);
    }

    [Fact]
    public async Task One_id_is_not_stored_twice()
    {
        var envelope = Samples.Envelope();
        await Samples.CommitAsync(Spool, Samples.Content(10), envelope);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Samples.CommitAsync(Spool, Samples.Content(20), envelope));
        Assert.Equal(10, Spool.Find(envelope.Id)!.Size);
    }

    [Fact]
    public async Task A_state_must_have_one_part_for_each_recipient()
    {
        var envelope = Samples.Envelope(recipients: 2);
        var state = DeliveryState.Fresh(1, envelope.ArrivedAt);
        await using var draft = Spool.CreateDraft();
        await Assert.ThrowsAsync<ArgumentException>(async () => await draft.CommitAsync(envelope, state, Ct));
    }

    [Fact]
    public async Task A_cancelled_commit_stores_nothing()
    {
        var envelope = Samples.Envelope();
        await using var draft = Spool.CreateDraft();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await draft.CommitAsync(envelope, Samples.FreshState(envelope), new CancellationToken(canceled: true)));
        Assert.Equal(0, Spool.Count);
    }

    [Fact]
    public async Task Many_writers_at_once_lose_nothing()
    {
        var stored = new System.Collections.Concurrent.ConcurrentDictionary<QueueId, byte[]>();
        await Parallel.ForAsync(0, 16, Ct, async (writer, _) =>
        {
            for (var i = 0; i < 25; i++)
            {
                var content = Samples.Content(i % 10 == 0 ? 90_000 : 500 + i, (writer * 100) + i);
                stored[await Samples.CommitAsync(Spool, content)] = content;
            }
        });
        Assert.Equal(400, Spool.Count);
        foreach (var (id, content) in stored)
            Assert.Equal(content, await Samples.ReadAsync(Spool, id));
    }

    [Fact]
    public async Task A_message_for_very_many_recipients_is_kept()
    {
        var envelope = Samples.Envelope(recipients: 5000);
        var content = Samples.Content(60_000);
        var id = await Samples.CommitAsync(Spool, content, envelope);
        Assert.Equal(content, await Samples.ReadAsync(Spool, id));
        Assert.Equal(5000, Spool.Find(id)!.Envelope.Recipients.Length);
    }

    /// <summary>What waits is kept in memory that is the next message's when it goes; a page is made into entries while others come and go.</summary>
    [Fact]
    public async Task What_is_listed_is_each_message_itself_whatever_comes_and_goes_meanwhile()
    {
        var spool = Spool;
        var changes = Task.Run(async () =>
        {
            var waiting = new Queue<QueueId>();
            for (var round = 0; round < 40; round++)
            {
                await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(AddAsync)));
                while (waiting.Count > 150)
                    Assert.True(spool.Remove(waiting.Dequeue()));
            }

            async Task AddAsync()
            {
                var envelope = Samples.Envelope();
                envelope = envelope with { Said = envelope.Said with { Recipients = [Named(envelope.Id)] } };
                await using var draft = spool.CreateDraft();
                await draft.AppendAsync("text"u8.ToArray(), Ct);
                // It was tried, so it is put at rest at once.
                Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope) with { Attempts = 1 }, Ct));
                lock (waiting)
                    waiting.Enqueue(envelope.Id);
            }
        });
        var seen = 0;
        while (!changes.IsCompleted)
        {
            foreach (var entry in await spool.ListAsync(QueueFilter.Everything, after: null, most: 1000, Ct))
            {
                Assert.Equal([Named(entry.Envelope.Id)], entry.Envelope.Recipients.ToArray());
                seen++;
            }
        }

        await changes;
        Assert.True(seen > 0);

        static Mailbox Named(QueueId id) => Mailbox.Parse($"{id}@example.net");
    }
}
