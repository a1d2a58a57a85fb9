using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// Tells the envelope's sender what became of recipients, by a new message in the spool: failures, and where asked for delays and
/// successes. Never about a report (RFC 5321 §6.1), never to a sender for whom nobody vouches, and not without bounds.
/// </summary>
internal sealed class StatusReporter(
    ISpool spool, DeliveryOptions settings, OwnSubmissions submissions, IAuditLog audit, TimeProvider clock)
{
    private static readonly RecipientParameters NeverReported = new() { Notify = DsnNotify.Never };

    private readonly ReportLimiter failures = new(settings.ReportsPerAddress, settings.Reports, clock);

    /// <summary>Of their own: asking for many reports of success must not cost one of a failure.</summary>
    private readonly ReportLimiter others = new(settings.ReportsPerAddress, settings.Reports, clock);

    private readonly ReportLimiter notices = new(settings.NoticesToPostmaster, settings.NoticesToPostmaster, clock);

    private volatile DeliveryOptions options = settings;

    public void Apply(DeliveryOptions changed)
    {
        options = changed;
        failures.Apply(changed.ReportsPerAddress, changed.Reports);
        others.Apply(changed.ReportsPerAddress, changed.Reports);
        notices.Apply(changed.NoticesToPostmaster, changed.NoticesToPostmaster);
    }

    /// <summary>Writes a report, or not, and tells the log which and why.</summary>
    /// <param name="reports">At least one, all of the same action.</param>
    /// <param name="now">When the attempt ended that is told of.</param>
    /// <param name="commit">Stores the report, together with what it tells of.</param>
    /// <param name="returned">What it returns of a message that is not in the spool; null for one that is.</param>
    public async ValueTask<ReportOutcome> ReportAsync(
        Envelope original,
        ImmutableArray<RecipientReport> reports,
        DateTimeOffset now,
        Func<ISpoolDraft, Envelope, DeliveryState, ValueTask<SpoolCommit>> commit,
        CancellationToken ct,
        ReturnedContent? returned = null)
    {
        var action = reports[0].Action;
        if (action == ReportAction.Failed)
            reports = reports.RemoveAll(static r => !ReportWish.WantsFailure(r.Parameters));
        var limiter = action == ReportAction.Failed ? failures : others;
        var cameRound = action == ReportAction.Failed && await HasComeRoundAsync(original, ct).ConfigureAwait(false);
        if (WhyNot(original, reports, limiter, cameRound) is { } why)
        {
            Note(original, now, reportId: null, $"suppressed: {why}");
            return new ReportOutcome(IsDone: true, $"suppressed: {why}");
        }

        var isStored = false;
        try
        {
            isStored = await StoreAsync(original, reports, now, commit, returned, ct).ConfigureAwait(false);
            return new ReportOutcome(isStored);
        }
        finally
        {
            // Else a disk that was full for a while would use up the reports that it did not take.
            if (!isStored)
                limiter.GiveBack(original.Sender.Mailbox!.Canonical, CountsInAll(original));
        }
    }

    private async ValueTask<bool> StoreAsync(
        Envelope original,
        ImmutableArray<RecipientReport> reports,
        DateTimeOffset now,
        Func<ISpoolDraft, Envelope, DeliveryState, ValueTask<SpoolCommit>> store,
        ReturnedContent? returned,
        CancellationToken ct)
    {
        var action = reports[0].Action;
        var id = QueueId.New(clock);
        var told = RemoteText.Cut(
            $"{reports.Length} of {original.Recipients.Length} recipients {ReportWords.Of(action).Action}: {reports[0].Reply}");
        var content = returned
            ?? await ReturnedContent.ReadAsync(spool, original.Id, action == ReportAction.Failed && TakesFull(original), ct)
                .ConfigureAwait(false);
        var report = new StatusReport(id, options.Hostname, original, reports, content.IsFull, content.Is8Bit);
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(report.Head(now, action == ReportAction.Delayed ? TriedUntil(original) : null), ct).ConfigureAwait(false);
        await draft.AppendAsync(content.Octets, ct).ConfigureAwait(false);
        await draft.AppendAsync(report.Tail(), ct).ConfigureAwait(false);
        var envelope = EnvelopeOf(id, now, original, report) with { ReportOf = new ReportOrigin(original.Id, told) };
        var commit = await store(draft, envelope, DeliveryState.Fresh(recipients: 1, now)).ConfigureAwait(false);
        var problem = commit switch
        {
            SpoolCommit.Durable => null,
            SpoolCommit.Full(var reason) => reason,
            SpoolCommit.Failed(var reason) => reason,
            _ => "unknown answer of the spool",
        };
        if (problem is null)
            Note(original, now, id, told);
        else
            Note(
                original,
                now,
                reportId: null,
                $"not stored, {(action == ReportAction.Relayed ? "and lost" : "tried again later")}: {problem}");
        return problem is null;
    }

    /// <summary>
    /// From nobody, and not to be reported upon (RFC 3461 §6.1). What had to be protected is not betrayed by its report (RFC 8689 §5).
    /// </summary>
    private static Envelope EnvelopeOf(QueueId id, DateTimeOffset now, Envelope original, StatusReport report) => new()
    {
        Id = id,
        ArrivedAt = now,
        Said = Unreported(original.Sender.Mailbox!) with
        {
            Parameters = new MailParameters
            {
                Body = report.Is8Bit ? BodyType.EightBitMime : BodyType.SevenBit,
                IsUtf8 = report.IsGlobal,
                RequiresTls = original.Parameters.RequiresTls,
            }.Shared(),
        },
        HasUtf8Header = !Ascii.IsValid(original.Sender.Address),
    };

    private static SmtpEnvelope Unreported(Mailbox to) => new(ReversePath.Null, [to]) { RecipientParameters = [NeverReported] };

    private DateTimeOffset TriedUntil(Envelope original)
    {
        var end = original.ReleasedAt + options.Retry.GiveUp;
        return original.Deadline is { IsNotify: false, At: var deadline } && deadline < end ? deadline : end;
    }

    /// <summary>
    /// Tells the postmaster of this host that a message is held for errors of this server, or cannot be tried for what it lacks. True when
    /// that is stored, or must not be: what this host wrote itself is not reported upon, and more than a number an hour say nothing new.
    /// </summary>
    /// <param name="why">What the last attempt came to.</param>
    /// <param name="until">When it is tried a last time; null where it is not held, and is tried on.</param>
    /// <param name="held">How many the server holds, this one included.</param>
    public async ValueTask<bool> TellPostmasterAsync(Envelope original, string why, DateTimeOffset? until, int held, CancellationToken ct)
    {
        var postmaster = options.Postmaster ?? Mailbox.Parse($"postmaster@{options.Hostname}");
        if (original is { Client: null, Login: null, Sender.IsNull: true })
            return Suppressed("the message was written by this server");
        if (!notices.TryTake(postmaster.Canonical, countsInAll: true))
            return Suppressed($"more than {options.NoticesToPostmaster} an hour to the postmaster");
        var (id, now) = (QueueId.New(clock), clock.GetUtcNow());
        var isStored = false;
        var told = RemoteText.Cut($"{(until is null ? "not tried for errors here" : "held after errors here")}: {why}");
        try
        {
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(HoldNotice.Write(id, now, options.Hostname, postmaster, original, why, until, held), ct)
                .ConfigureAwait(false);
            var envelope = new Envelope
            {
                Id = id,
                ArrivedAt = now,
                Said = Unreported(postmaster),
                ReportOf = new ReportOrigin(original.Id, told),
            };
            var commit = await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients: 1, now), ct).ConfigureAwait(false);
            isStored = commit is SpoolCommit.Durable;
        }
        catch (Exception e) when (e is not IOException && OwnShortage.WordsOf(e) is null)
        {
            // A mistake of its own: `postern status` and the log tell of the message all the same.
            return Suppressed(e.ToString());
        }
        catch (Exception e)
        {
            audit.Append(new ServerEvent(now, "spool-error", $"{original.Id}: {e.Message}"));
        }
        finally
        {
            if (!isStored)
                notices.GiveBack(postmaster.Canonical, countsInAll: true);
        }

        audit.Append(new BounceEvent(
            now,
            original.Id.ToString(),
            isStored ? id.ToString() : null,
            postmaster.Address,
            isStored ? told : "the word to the postmaster is not stored, tried again later"));
        return isStored;

        bool Suppressed(string reason)
        {
            audit.Append(
                new BounceEvent(clock.GetUtcNow(), original.Id.ToString(), BounceId: null, postmaster.Address, $"suppressed: {reason}"));
            return true;
        }
    }

    private string? WhyNot(Envelope original, ImmutableArray<RecipientReport> reports, ReportLimiter limiter, bool cameRound)
    {
        if (original.Sender.Mailbox is not { } sender)
            return "the message has the null sender";
        if (reports.IsEmpty)
            return "the sender asked for no such report";
        if (original.IsInbound && !cameRound)
            return "the message came without a login, so its sender may be forged";
        var countsInAll = CountsInAll(original);
        return limiter.TryTake(sender.Canonical, countsInAll) ? null
            : $"more than {options.ReportsPerAddress} reports an hour to this "
                + $"address{(countsInAll ? $", or {options.Reports} in all" : null)}";
    }

    /// <summary>
    /// It came without a login, and it is one that came with one before: its trace says which, and that one had the same sender, who is no
    /// forger's choice.
    /// </summary>
    private async ValueTask<bool> HasComeRoundAsync(Envelope original, CancellationToken ct)
    {
        if (!original.IsInbound || original.Sender.IsNull)
            return false;
        var header = (await ReturnedContent.ReadAsync(spool, original.Id, wantsFull: false, ct).ConfigureAwait(false)).Octets;
        foreach (var word in Encoding.Latin1.GetString(header.Span)
            .Split([' ', '\t', '\r', '\n', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.Length == QueueId.TextLength && QueueId.TryParse(word, out var id) && submissions.Take(id, original.Sender.Address))
                return true;
        }

        return false;
    }

    /// <summary>
    /// The bound for all is against senders that nobody proved. A login vouches for its own, and loses no report to what others do.
    /// </summary>
    private static bool CountsInAll(Envelope original) => original.Login is null;

    /// <summary>Binary content would need a next hop that takes it, and what goes over TLS only is not spread (RFC 8689 §5).</summary>
    private static bool TakesFull(Envelope original) =>
        original.Parameters is { Return: DsnReturn.Full, RequiresTls: false } && original.Parameters.Body != BodyType.BinaryMime;

    private void Note(Envelope original, DateTimeOffset now, QueueId? reportId, string reason) =>
        audit.Append(new BounceEvent(now, original.Id.ToString(), reportId?.ToString(), original.Sender.Address, reason));
}

/// <summary>What became of telling the sender.</summary>
/// <param name="IsDone">It will know, or must not be told; false when the report could not be stored.</param>
/// <param name="WhyNot">Why it is not told, in the words of the log; null where it is, or the report could not be stored.</param>
internal readonly record struct ReportOutcome(bool IsDone, string? WhyNot = null);
