using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Delivery.Senders;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// Puts others in the place of recipients that stand for them: a message with the same content goes to those. It becomes durable together
/// with the end of the recipients that it stands for, so a crash neither loses nor doubles any. So many messages at a time; nobody's due
/// mail waits for it.
/// </summary>
internal sealed class Expander(
    DeliveryWork work, Destinations destinations, Timekeeper time, StateRecorder recorder, StatusReporter reporter, AttemptEnd end)
    : IAsyncDisposable
{
    private const int AtOnce = 64;
    private const int Part = 64 * 1024;

    /// <summary>When the disk does not take what a message expands to.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim turns = new(AtOnce);

    /// <summary>Some recipient of the message stands for others.</summary>
    public bool Wants(TrackedMessage message)
    {
        if (work.Options.Aliases.IsEmpty)
            return false;
        for (var i = 0; i < message.Envelope.Recipients.Length; i++)
        {
            if (IsToExpand(message, i))
                return true;
        }

        return false;
    }

    /// <summary>Expands a message that is at work by then. Nothing waits for it.</summary>
    public async Task ExpandAsync(TrackedMessage message)
    {
        try
        {
            await turns.WaitAsync(work.Stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return;                                 // it stays in the spool as it is
        }

        try
        {
            await WorkAsync(message).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"{message.Id} cannot be expanded: {mistake}");
            await end.EndByMistakeAsync(message, isOurs: OwnShortage.WordsOf(mistake) is not null).ConfigureAwait(false);
        }
        finally
        {
            turns.Release();
        }
    }

    /// <summary>Waits for what is being expanded; nothing further begins, as everything stops.</summary>
    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < AtOnce; i++)
            await turns.WaitAsync().ConfigureAwait(false);
        turns.Dispose();
    }

    private bool IsToExpand(TrackedMessage message, int recipient)
    {
        var envelope = message.Envelope;
        return message.State.Recipients[recipient].Status == RecipientStatus.Pending
            && envelope.Expanded?.Open.Contains(recipient) != false
            && work.Options.Aliases.Has(envelope.Recipients[recipient])
            && !work.Suspensions.Holds(envelope.Recipients[recipient].Domain);
    }

    private async ValueTask WorkAsync(TrackedMessage message)
    {
        var header = await HeaderAsync(message).ConfigureAwait(false);
        var (recipients, looping) = Sort(message, header);
        var expansion = AliasExpansion.Of(work.Options.Aliases, message.Envelope, recipients);
        foreach (var group in expansion.Groups)
        {
            if (await TakeAsync(message, group).ConfigureAwait(false))
                continue;
            await PutOffAsync(message).ConfigureAwait(false);
            return;
        }

        var failed = looping.Concat(expansion.Problems)
            .ToDictionary(static p => p.Recipient, p => Failed(message.Envelope.Recipients[p.Recipient], p.Why));
        if (failed.Count > 0)
            await FailAsync(message, failed).ConfigureAwait(false);
        else if (message.State.IsFinished)
            await end.FinishAsync(message).ConfigureAwait(false);
        else
            await end.GiveBackAsync(message).ConfigureAwait(false);
    }

    private Outcome Failed(Mailbox recipient, string why) => work.Options.Srs?.Read(recipient, now: null) is SrsAnswer.Refused
        ? new Outcome.Failed(Remote: null, why, Tls: null, "5.1.1") { Cause = DeliveryCause.Refused }
        : new Outcome.Failed(Remote: null, why, Tls: null, OwnHost.Status) { Cause = DeliveryCause.Loop };

    /// <summary>
    /// Recipients to expand, and those that the message was expanded for before: it has come back from where they lead (Delivered-To, as
    /// with Postfix).
    /// </summary>
    private (List<int> Recipients, List<(int Recipient, string Why)> Looping) Sort(TrackedMessage message, ReadOnlyMemory<byte> header)
    {
        var before = new HashSet<Mailbox>();
        var fields = new HeaderSection(header.Span);
        while (fields.TryNext())
        {
            if (fields.Is("Delivered-To") && Mailbox.TryParse(fields.Body.Trim(" \t\r\n"u8), out var mailbox))
                before.Add(mailbox);
        }

        var (recipients, looping) = (new List<int>(), new List<(int, string)>());
        for (var i = 0; i < message.Envelope.Recipients.Length; i++)
        {
            if (!IsToExpand(message, i))
                continue;
            if (before.Contains(message.Envelope.Recipients[i]))
                looping.Add((i, $"Mail for {message.Envelope.Recipients[i]} has come back from an address that it is sent on to"));
            else
                recipients.Add(i);
        }

        return (recipients, looping);
    }

    private async ValueTask<ReadOnlyMemory<byte>> HeaderAsync(TrackedMessage message) =>
        (await ReturnedContent.ReadAsync(work.Spool, message.Id, wantsFull: false, work.Abandoned.Token).ConfigureAwait(false)).Octets;

    /// <summary>False when it could not be stored, or somebody changed the message meanwhile: it is looked at again.</summary>
    private async ValueTask<bool> TakeAsync(TrackedMessage message, AliasGroup group)
    {
        var (now, original) = (work.Now, message.Envelope);
        if (group.Targets.IsEmpty)
        {
            Settle(message, group, into: null);
            await recorder.StoreAsync(message).ConfigureAwait(false);
            if (message.IsUnrecorded)
                return false;
        }
        else if (await StoreAsync(message, group, now).ConfigureAwait(false) is not { } into)
            return false;
        else
            Tell(original, into, group, now);
        if (group.Targets.IsEmpty)
            work.Audit.Append(new ExpandedEvent(now, message.Id.ToString(), Into: null, NamesOf(original, group), Targets: 0));
        await ReportAsync(message, group, now).ConfigureAwait(false);
        return true;
    }

    private async ValueTask<SpoolEntry?> StoreAsync(TrackedMessage message, AliasGroup group, DateTimeOffset now)
    {
        using var content = await work.Spool.OpenContentAsync(message.Id, work.Abandoned.Token).ConfigureAwait(false);
        if (content is null)
            return null;
        if (await RewrittenAsync(message, group).ConfigureAwait(false) is not { } rewritten)
            return null;
        var envelope = EnvelopeOf(message, group, rewritten, now);
        var draft = work.Spool.CreateDraft();
        await using (draft.ConfigureAwait(false))
        {
            await draft.AppendAsync(Encoding.UTF8.GetBytes(FieldsOf(message.Envelope, group, envelope.Id, now)), CancellationToken.None)
                .ConfigureAwait(false);
            await CopyAsync(content, draft).ConfigureAwait(false);
            DeliveryState told;
            lock (work.Gate)
                told = message.State with { TriedAt = now, Recipients = Settled(message.State, group, envelope.Id) };
            var fresh = DeliveryState.Fresh(envelope.Recipients.Length, now) with { Via = message.State.Via };
            switch (await recorder.CommitAsync(message, told, draft, envelope, fresh, standsAlone: false).ConfigureAwait(false))
            {
                case SpoolCommit.Durable(var entry):
                    Settle(message, group, envelope.Id);
                    return entry;
                case SpoolCommit.Full(var reason):
                    work.Tell("spool-error", $"{message.Id} cannot be expanded now: {reason}");
                    return null;
                case SpoolCommit.Failed(var reason):
                    work.Tell("spool-error", $"{message.Id} cannot be expanded now: {reason}");
                    return null;
                default:
                    return null;
            }
        }
    }

    /// <summary>For which targets the sender is rewritten; null where that cannot be told now.</summary>
    private async ValueTask<ImmutableArray<int>?> RewrittenAsync(TrackedMessage message, AliasGroup group)
    {
        if (group.Owner is not null)
            return [];
        try
        {
            return await ForwardedSenders.ForAsync(
                work.Options, SenderOf(group, message.Envelope.Sender).Mailbox, group.Targets, work.Abandoned.Token).ConfigureAwait(false);
        }
        catch (DirectoryUnavailableException unavailable)
        {
            work.Tell("delivery-error", $"{message.Id} cannot be expanded now: {unavailable.Message}");
            return null;
        }
    }

    private void Settle(TrackedMessage message, AliasGroup group, QueueId? into)
    {
        lock (work.Gate)
            message.State = message.State with { TriedAt = work.Now, Recipients = Settled(message.State, group, into) };
    }

    private static ImmutableArray<RecipientState> Settled(DeliveryState state, AliasGroup group, QueueId? into)
    {
        var recipients = state.Recipients.ToBuilder();
        foreach (var (recipient, targets) in group.Sources)
            recipients[recipient] = new RecipientState(
                RecipientStatus.Expanded,
                into is not { } id ? "what it stands for has the message already, or throws it away"
                    : targets == 1 ? $"sent on as {id}"
                    : $"stands for {targets} addresses, sent on as {id}");
        return recipients.ToImmutable();
    }

    /// <summary>
    /// The sender stays, and is told whom it was for (RFC 3461 §5.2.7.2, §5.2.7.3 (c)); of a list the owner is the sender, and nothing is
    /// kept of what the sender of the message asked for (§5.2.7.1).
    /// </summary>
    private Envelope EnvelopeOf(TrackedMessage message, AliasGroup group, ImmutableArray<int> rewritten, DateTimeOffset now)
    {
        var original = message.Envelope;
        var said = original.ForNextHop(now);
        ImmutableArray<Mailbox> to = [.. group.Targets.Select(static t => t.Address)];
        var parameters = said.Parameters;
        if (to.Any(static r => !r.IsAscii))
            parameters = parameters with { IsUtf8 = true };
        var isByVerp = group.Owner is not null && work.Options.Aliases.SendsByVerp(original, group);
        parameters = parameters with { Verp = isByVerp ? VerpDelimiters.Usual : null };
        if (group.Owner is not null)
            parameters = parameters with { EnvelopeId = null, Return = DsnReturn.Unspecified, DeliverBy = null };
        var counts = group.Sources.ToDictionary(static s => s.Recipient, static s => s.Targets);
        ImmutableArray<RecipientParameters> wishes =
            [.. group.Owner is not null ? [] : group.Targets.Select(target => WishesOf(original, target.Source, counts[target.Source]))];
        return original with
        {
            Id = QueueId.New(work.Clock),
            ArrivedAt = now,
            Said = Envelope.Keep(new SmtpEnvelope(group.Owner is { } owner ? new ReversePath(owner) : SenderOf(group, said.Sender), to)
            {
                Parameters = parameters,
                RecipientParameters = wishes.All(static w => w == RecipientParameters.None) ? [] : wishes,
            }),
            ReportOf = null,
            KeepFor = null,                         // of one message the content is kept once, with that which came
            Expanded = new Expansion(
                original.Id, [.. group.Sources.Select(s => original.Recipients[s.Recipient]).Concat(group.Through).Distinct()])
            {
                Open = IndicesOf(group, static t => t.IsOpen),
                Places = IndicesOf(group, static t => t.IsPlace),
                Rewritten = rewritten,
            },
        };
    }

    private static ReversePath SenderOf(AliasGroup group, ReversePath ofMessage) =>
        group.Sender is { } sender ? new ReversePath(sender) : ofMessage;

    private static ImmutableArray<int> IndicesOf(AliasGroup group, Func<AliasGroup.Target, bool> what) =>
        [.. Enumerable.Range(0, group.Targets.Length).Where(i => what(group.Targets[i]))];

    private static RecipientParameters WishesOf(Envelope original, int recipient, int targets)
    {
        var said = original.ParametersInPlaceOf(recipient);
        if (targets == 1 || !said.Notify.HasFlag(DsnNotify.Success))
            return said;
        var left = said.Notify & ~DsnNotify.Success;
        return said with { Notify = left == DsnNotify.Unspecified ? DsnNotify.Never : left };
    }

    /// <summary>
    /// The trace of this step, by which the message is known again when it comes round. The recipient is named only where there is one:
    /// more would tell blind copies about each other.
    /// </summary>
    private string FieldsOf(Envelope original, AliasGroup group, QueueId id, DateTimeOffset now)
    {
        var text = new StringBuilder();
        if (group.Sources is [var only])
            HeaderField.Append(text, "Delivered-To", original.Recipients[only.Recipient].Address);
        HeaderField.Append(
            text,
            "Received",
            $"by {work.Options.Hostname.Text}",
            group.Sources.Length == 1 ? $"id {id}" : $"id {id};",
            group.Sources is [var one] ? $"for <{original.Recipients[one.Recipient].Address}>;" : string.Empty,
            ReceivedField.Date(now));
        return text.ToString();
    }

    private static async ValueTask CopyAsync(ISpoolContent content, ISpoolDraft draft)
    {
        var buffer = new byte[(int)Math.Min(Part, Math.Max(1, content.Length))];
        for (long at = 0; at < content.Length;)
        {
            var read = await content.ReadAsync(at, buffer, CancellationToken.None).ConfigureAwait(false);
            if (read == 0)
                throw new InvalidDataException($"The content ends at {at} of {content.Length} octets");
            await draft.AppendAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
            at += read;
        }
    }

    private void Tell(Envelope original, SpoolEntry into, AliasGroup group, DateTimeOffset now)
    {
        work.Audit.Append(DeliveryEvents.ExpandedInto(into));
        work.Audit.Append(DeliveryEvents.ExpansionOf(into, now) with { Recipients = NamesOf(original, group) });
    }

    private static ImmutableArray<string> NamesOf(Envelope original, AliasGroup group) =>
        [.. group.Sources.Select(s => original.Recipients[s.Recipient].Address)];

    /// <summary>
    /// What is told where success was to be told. A crash between both loses this word, and never the message.
    /// </summary>
    private async ValueTask ReportAsync(TrackedMessage message, AliasGroup group, DateTimeOffset now)
    {
        var goOn = group.Targets.Select(static t => t.Source).ToHashSet();
        ImmutableArray<RecipientReport> reports =
        [
            .. group.Sources.Where(s => message.Envelope.ParametersOf(s.Recipient).Notify.HasFlag(DsnNotify.Success))
                .Select(s => SuccessOf(message.Envelope, group, s, goOn.Contains(s.Recipient))).OfType<RecipientReport>(),
        ];
        // With a sender of its own each has a report of its own.
        foreach (var some in message.Envelope.Parameters.Verp is null ? [reports] : reports.Select(ImmutableArray.Create))
        {
            if (some.IsEmpty)
                continue;
            await reporter.ReportAsync(
                SentAs.Reported(message.Envelope, some[0].Recipient),
                some,
                now,
                static (draft, envelope, state) => draft.CommitAsync(envelope, state, CancellationToken.None),
                CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A list has the message now (RFC 3461 §5.2.7.1), and with what throws it away its way ends (§5.2.3). Of several addresses none says
    /// so itself (§5.2.7.3). One alone has taken over the wish (§5.2.7.2), unless it has the message from others and knows of no wish
    /// (§5.2.2). Null where nobody is told here.
    /// </summary>
    /// <param name="goesOn">An address of the new message comes from it.</param>
    private static RecipientReport? SuccessOf(Envelope envelope, AliasGroup group, AliasGroup.Source source, bool goesOn)
    {
        return group.Owner is not null ? Of(ReportAction.Delivered, "sent on to the members of the list")
            : source.IsNowhere ? Of(ReportAction.Delivered, DiscardPlace.Words)
            : source.Targets > 1 ? Of(ReportAction.Expanded, "sent on to the addresses that it stands for")
            : goesOn ? null
            : Of(ReportAction.Relayed, "it stands for an address that has the message anyway");

        RecipientReport Of(ReportAction action, string what) => new(
            envelope.Recipients[source.Recipient], envelope.ParametersOf(source.Recipient), action, "2.0.0", Remote: null, what);
    }

    /// <summary>Recipients that stand for nothing fail in an attempt, with all that belongs to one; others are sent in it.</summary>
    private async ValueTask FailAsync(TrackedMessage message, Dictionary<int, Outcome> failed)
    {
        foreach (var (recipient, outcome) in failed)
            work.Audit.Append(
                DeliveryEvents.Of(
                    work.Now, message.Envelope, recipient, outcome, work.Options, message.State.Attempts + 1));
        bool isOver;
        lock (work.Gate)
        {
            // What is stopped here is expanded again, and fails then.
            if (work.IsStopping)
                return;
            destinations.Dispatch(message, time.Settings, failed);
            isOver = message.OpenJobs == 0;
        }

        if (isOver)
            await end.EndAsync(message).ConfigureAwait(false);
    }

    private async ValueTask PutOffAsync(TrackedMessage message)
    {
        await work.ReleaseAsync(message, shelf: null).ConfigureAwait(false);
        await work.Spool.RescheduleAsync([message.Id], work.Now + Pause, CancellationToken.None).ConfigureAwait(false);
    }
}
