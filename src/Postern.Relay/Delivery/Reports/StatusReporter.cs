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
/// successes. Never about a report (RFC 5321 §6.1), and never to a sender for whom nobody vouches. Who is owed very many gets the further
/// ones together, a little later (<see cref="ReportBundle"/>); nobody who is owed one gets none.
/// </summary>
internal sealed class StatusReporter(ISpool spool, DeliveryOptions settings, IAuditLog audit, TimeProvider clock)
{
    private static readonly RecipientParameters NeverReported = new() { Notify = DsnNotify.Never };

    private readonly ReportLimiter failures = new(settings.ReportsPerAddress, settings.Reports, clock);

    /// <summary>Of their own: asking for many reports of success must not cost one of a failure.</summary>
    private readonly ReportLimiter others = new(settings.ReportsPerAddress, settings.Reports, clock);

    private readonly ReportLimiter notices = new(settings.NoticesToPostmaster, settings.NoticesToPostmaster, clock);

    private volatile DeliveryOptions options = settings;
    private int lostUntold;

    /// <summary>Whose messages were taken lately; set before anything is reported.</summary>
    public OwnSubmissions Submissions { get; set; } = new();

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
        var (first, action) = (reports[0], reports[0].Action);
        if (action == ReportAction.Failed)
            reports = reports.RemoveAll(static r => !ReportWish.WantsFailure(r.Parameters));
        var limiter = action == ReportAction.Failed ? failures : others;
        var cameRound = action == ReportAction.Failed && await HasComeRoundAsync(original, ct).ConfigureAwait(false);
        if (WhyNot(original, reports, cameRound) is { } why)
        {
            audit.Append(
                new BounceEvent(now, original.Id.ToString(), BounceId: null, original.Sender.Address, $"suppressed: {why.Words}")
                {
                    Suppressed = why.Word,
                });
            if (IsReport(original))
                await TellOfLostAsync(original, first, ct).ConfigureAwait(false);
            return new ReportOutcome(IsDone: true, $"suppressed: {why.Words}");
        }

        var isStored = false;
        var isTaken = limiter.TryTake(original.Sender.Mailbox!.Canonical, CountsInAll(original));
        try
        {
            isStored = await StoreAsync(original, reports, now, isGathered: !isTaken, commit, returned, ct).ConfigureAwait(false);
            return new ReportOutcome(isStored);
        }
        finally
        {
            // Else a disk that was full for a while would use up the reports that it did not take.
            if (!isStored && isTaken)
                limiter.GiveBack(original.Sender.Mailbox!.Canonical, CountsInAll(original));
        }
    }

    private async ValueTask<bool> StoreAsync(
        Envelope original,
        ImmutableArray<RecipientReport> reports,
        DateTimeOffset now,
        bool isGathered,
        Func<ISpoolDraft, Envelope, DeliveryState, ValueTask<SpoolCommit>> store,
        ReturnedContent? returned,
        CancellationToken ct)
    {
        var action = reports[0].Action;
        var id = QueueId.New(clock);
        var told = RemoteText.Cut(
            $"{reports.Length} of {original.Recipients.Length} recipients {ReportWords.Of(action).Action}: {reports[0].Reply}");
        var wantsFull = action == ReportAction.Failed && !isGathered && TakesFull(original);
        var content = returned ?? await ReturnedContent.ReadAsync(spool, original.Id, wantsFull, ct).ConfigureAwait(false);
        ImmutableArray<RecipientReport> plain = [.. reports.Select(Plainly)];
        var report = new StatusReport(id, options.Hostname, original, plain, content.IsFull, content.Is8Bit);
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(report.Head(now, action == ReportAction.Delayed ? TriedUntil(original) : null), ct).ConfigureAwait(false);
        await draft.AppendAsync(content.Octets, ct).ConfigureAwait(false);
        await draft.AppendAsync(report.Tail(), ct).ConfigureAwait(false);
        var envelope = EnvelopeOf(id, now, original, report) with
        {
            ReportOf = new ReportOrigin(original.Id, told) { IsGathered = isGathered },
        };
        var due = isGathered ? GatheredUntil(now) : now;
        var commit = await store(draft, envelope, DeliveryState.Fresh(recipients: 1, due)).ConfigureAwait(false);
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
    public ValueTask<bool> TellPostmasterAsync(Envelope original, string why, DateTimeOffset? until, int held, CancellationToken ct)
    {
        if (original is { Client: null, Login: null, Sender.IsNull: true })
            return new(NoNotice(original, "the message was written by this server"));
        var told = RemoteText.Cut($"{(until is null ? "not tried for errors here" : "held after errors here")}: {why}");
        return NotifyAsync(
            original,
            told,
            (id, now) => HoldNotice.Write(id, now, options.Hostname, Postmaster, original, why, until, held),
            ct);
    }

    private Mailbox Postmaster => options.Postmaster ?? Mailbox.Parse($"postmaster@{options.Hostname}");

    /// <summary>
    /// A report cannot be delivered, so somebody does not learn what became of a message: the postmaster hears of it, unless it was on its
    /// way to the postmaster. What comes above the number of an hour is counted, and the next one says how many.
    /// </summary>
    private async ValueTask TellOfLostAsync(Envelope report, RecipientReport failure, CancellationToken ct)
    {
        if (!options.TellsOfLostReports || failure.Recipient.Canonical == Postmaster.Canonical)
            return;
        var before = Interlocked.Exchange(ref lostUntold, 0);
        var isTold = await NotifyAsync(
            report,
            RemoteText.Cut($"a report cannot be delivered: {failure.Reply}"),
            (id, now) => LostReportNotice.Write(id, now, options.Hostname, Postmaster, report, failure.Recipient, failure.Reply, before),
            ct,
            onLimit: () => Interlocked.Add(ref lostUntold, before + 1)).ConfigureAwait(false);
        if (!isTold)
            Interlocked.Add(ref lostUntold, before + 1);
    }

    /// <param name="onLimit">There were more than a number an hour, and this is not one of them.</param>
    private async ValueTask<bool> NotifyAsync(
        Envelope about, string told, Func<QueueId, DateTimeOffset, byte[]> write, CancellationToken ct, Action? onLimit = null)
    {
        var postmaster = Postmaster;
        if (!notices.TryTake(postmaster.Canonical, countsInAll: true))
        {
            onLimit?.Invoke();
            return NoNotice(about, $"more than {options.NoticesToPostmaster} an hour to the postmaster");
        }

        var (id, now) = (QueueId.New(clock), clock.GetUtcNow());
        var isStored = false;
        try
        {
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(write(id, now), ct).ConfigureAwait(false);
            var envelope = new Envelope
            {
                Id = id,
                ArrivedAt = now,
                Said = Unreported(postmaster),
                ReportOf = new ReportOrigin(about.Id, told),
            };
            var commit = await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients: 1, now), ct).ConfigureAwait(false);
            isStored = commit is SpoolCommit.Durable;
        }
        catch (Exception e) when (e is not IOException && OwnShortage.WordsOf(e) is null)
        {
            // A mistake of its own: `postern status` and the log tell of the message all the same.
            return NoNotice(about, e.ToString());
        }
        catch (Exception e)
        {
            audit.Append(new ServerEvent(now, "spool-error", $"{about.Id}: {e.Message}"));
        }
        finally
        {
            if (!isStored)
                notices.GiveBack(postmaster.Canonical, countsInAll: true);
        }

        audit.Append(new BounceEvent(
            now,
            about.Id.ToString(),
            isStored ? id.ToString() : null,
            postmaster.Address,
            isStored ? told : "the word to the postmaster is not stored, tried again later"));
        return isStored;
    }

    private bool NoNotice(Envelope about, string reason)
    {
        audit.Append(
            new BounceEvent(clock.GetUtcNow(), about.Id.ToString(), BounceId: null, Postmaster.Address, $"suppressed: {reason}"));
        return true;
    }

    private RecipientReport Plainly(RecipientReport report) =>
        report.Outcome is null ? report : report with { Plainly = options.Bounces.SentenceOf(report.Outcome, report.Recipient) };

    /// <summary>The end of the span that all reports gathered meanwhile share.</summary>
    private DateTimeOffset GatheredUntil(DateTimeOffset now)
    {
        var span = Math.Max(1, options.ReportsGatheredFor.Ticks);
        return new DateTimeOffset(((now.UtcTicks / span) + 1) * span, TimeSpan.Zero);
    }

    private static bool IsReport(Envelope original) => original is { ReportOf: not null, Sender.IsNull: true };

    private static (string Word, string Words)? WhyNot(Envelope original, ImmutableArray<RecipientReport> reports, bool cameRound)
    {
        if (original.Sender.IsNull)
            return ("null_sender", "the message has the null sender");
        if (reports.IsEmpty)
            return ("not_asked", "the sender asked for no such report");
        return original.IsInbound && !cameRound
            ? (BounceEvent.Stranger, "the message came without a login, so its sender may be forged")
            : null;
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
            if (word.Length == QueueId.TextLength && QueueId.TryParse(word, out var id) && Submissions.Take(id, original.Sender.Address))
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
