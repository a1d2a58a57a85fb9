using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// One session with one next hop, made anew when it is lost or has carried enough. What its host does not take for now is offered to the
/// hosts behind it in the same attempt, each by a session of its own, until every recipient is decided or the <see cref="HopTrail"/> ends.
/// </summary>
internal sealed class SmtpLane(NextHop hop, SmtpDelivery delivery, TimeProvider clock) : IDeliveryLane
{
    private HopSession? session;
    private OutgoingMessage? announced;
    private Func<string, IHostTurn?>? admits;

    public bool IsConnected => session is { IsOpen: true };

    public bool IsWanted => session?.Place?.IsWanted == true;

    public bool IsShared => hop is NextHop.MailExchanger && session is { MayBeShared: true };

    public int Room => session is { IsOpen: true } open ? open.Room : 1;

    public Func<bool>? WhenWanted { private get; set; }

    Func<string, IHostTurn?>? IDeliveryLane.Admits
    {
        set => admits = value;
    }

    public ValueTask<DeliveryReport> DeliverAsync(
        OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct) =>
        message.Parameters.RequiresTls
            ? DeliverProtectedAsync(message, following, record, ct)
            : DeliverAnyAsync(message, following, record, ct);

    /// <summary>
    /// With REQUIRETLS (RFC 8689 §4.2.1). A report that no host can have so goes without it: better than that the sender hears nothing
    /// (§5).
    /// </summary>
    private async ValueTask<DeliveryReport> DeliverProtectedAsync(
        OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct)
    {
        var report = delivery.Connector.Policy.CanProve(hop)
            ? await DeliverAnyAsync(message, following, record, ct).ConfigureAwait(false)
            : new DeliveryReport(Enumerable.Repeat<Outcome>(TlsRequirement.NoProof, message.Recipients.Length).ToArray(), Reached: true);
        return message.Sender.IsNull && report.Outcomes.Count > 0 && report.Outcomes.All(TlsRequirement.IsUnmet)
            ? await DeliverAnyAsync(TlsRequirement.Waive(message), following: null, record, ct).ConfigureAwait(false)
            : report;
    }

    private async ValueTask<DeliveryReport> DeliverAnyAsync(
        OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        HopTrail? trail = null;
        // The envelope of another message may have been sent ahead.
        if (announced is not null && !ReferenceEquals(announced, message) && session is { IsBespoken: true })
            await CloseAsync().ConfigureAwait(false);
        var isAnnounced = announced is not null && session is { IsBespoken: true };
        announced = null;
        if (!IsConnected || !session!.IsFor(message.Client))
        {
            await CloseAsync().ConfigureAwait(false);
            session = TakeOwn();
        }

        if (session is null)
        {
            trail = Begin(message, begun, admits);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, message.Revoked);
            switch (await trail.NextAsync(either.Token).ConfigureAwait(false))
            {
                case HopConnection.Open open:
                    session = SessionOf(open);
                    break;
                case HopConnection.Taken(var taken):
                    session = Mine(taken);
                    break;
                case HopConnection.Full(var turn):
                    return new DeliveryReport([], Reached: false) { Turn = turn };
                case HopConnection.Closed(var why):
                    return new DeliveryReport(Enumerable.Repeat(why, message.Recipients.Length).ToArray(), Reached: false);
            }
        }

        var first = session!;
        if (SendsAhead && following is not null && following.Client == message.Client && first.MaySendAhead
            && MostOf(first) >= following.Recipients.Length)
            announced = following;
        var outcomes = MostOf(first) is var most && (isAnnounced || most >= message.Recipients.Length)
            ? await first.SendAsync(message, announced, begun, ct).ConfigureAwait(false)
            : await SendFirstAsync(first, message, most, begun, ct).ConfigureAwait(false);
        Learn(first, outcomes);
        if (Array.Exists(outcomes, static o => o is Outcome.Deferred { After: not AfterDeferral.NextAttempt }))
            await GoOnAsync(message, outcomes, trail, begun, record, ct).ConfigureAwait(false);
        if (!IsConnected)
            await CloseAsync().ConfigureAwait(false);
        return new DeliveryReport(outcomes, Reached: true) { Suspends = (session ?? first).IsHopeless };
    }

    public async ValueTask<bool> DeliverAllAsync(
        IReadOnlyList<OutgoingMessage> messages,
        IReadOnlyList<IOutcomeRecord> records,
        Action<int, DeliveryReport> answered,
        CancellationToken ct)
    {
        if (session is not { IsOpen: true, IsBespoken: false } open
            || !await open.IsProvenAsync(findsOut: messages.Count > 1, ct).ConfigureAwait(false))
            return false;
        var begun = clock.GetTimestamp();
        var most = MostOf(open);
        var unfinished = new List<(int Index, Outcome[] Outcomes)>();
        var sent = await open.SendGroupAsync(
            messages.All(m => m.Recipients.Length <= most) ? messages : [.. messages.TakeWhile(m => m.Recipients.Length <= most)],
            begun,
            (i, outcomes) =>
            {
                Learn(open, outcomes);
                if (Array.Exists(outcomes, static o => o is Outcome.Deferred { After: not AfterDeferral.NextAttempt }))
                    unfinished.Add((i, outcomes));
                else
                    answered(i, new DeliveryReport(outcomes, Reached: true) { Suspends = open.IsHopeless });
            },
            ct).ConfigureAwait(false);
        foreach (var (i, outcomes) in unfinished)
        {
            await GoOnAsync(messages[i], outcomes, trail: null, begun, records[i], ct).ConfigureAwait(false);
            answered(i, new DeliveryReport(outcomes, Reached: true) { Suspends = (session ?? open).IsHopeless });
        }

        if (!IsConnected)
            await CloseAsync().ConfigureAwait(false);
        return sent > 0;
    }

    public async ValueTask<bool> ProbeAsync(CancellationToken ct)
    {
        if (!IsConnected)
            session = await OpenAsync(delivery.Connector.Begin(hop, clock.GetTimestamp()), ct).ConfigureAwait(false);
        return IsConnected;
    }

    public ValueTask DisposeAsync()
    {
        if (session is not { } open
            || hop is not NextHop.MailExchanger
            || open.By != delivery.Connector
            || !delivery.Shared.TryPark(open, delivery.Options.IdleClose))
            return CloseAsync();
        session = null;
        return ValueTask.CompletedTask;
    }

    private static readonly Outcome.Deferred NotYet = new(Remote: null, "not sent before those of the transaction before it", Tls: null)
    {
        Cause = DeliveryCause.OwnSurroundings,
        Phase = DeliveryPhase.Rcpt,
    };

    /// <summary>Only to hosts the operator chose: RFC 2920 allows it, yet servers of strangers are not asked to prove it.</summary>
    private bool SendsAhead => hop is NextHop.SmartHost;

    /// <summary>
    /// Offers what is open to whoever is next. What goes wrong here from now on changes no outcome: somebody may have the message already.
    /// </summary>
    private async ValueTask GoOnAsync(
        OutgoingMessage message, Outcome[] outcomes, HopTrail? trail, long begun, IOutcomeRecord record, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, message.Revoked);
        var current = session;
        var recorded = 0;
        var isReopened = false;
        var lacking = LackingAt(session, outcomes, int.MaxValue);
        try
        {
            while (StepOf(outcomes) is { } step && clock.GetElapsedTime(begun) < delivery.Options.AttemptTime)
            {
                int[] who = [.. Enumerable.Range(0, outcomes.Length)
                    .Where(i => outcomes[i] is Outcome.Deferred { After: var after } && after == step)];
                if (outcomes.Count(static o => o is Outcome.Delivered) is var delivered && delivered > recorded)
                {
                    await record.RecordAsync(outcomes).ConfigureAwait(false);
                    recorded = delivered;
                }

                if (step != AfterDeferral.NewTransaction || current is not { IsOpen: true, IsBespoken: false })
                {
                    var from = current!.Endpoint;
                    var left = current != session || step == AfterDeferral.NewConnection ? current : null;
                    current = null;
                    if (left is not null)
                        await LeaveAsync(left).ConfigureAwait(false);
                    if (step == AfterDeferral.NextHost || isReopened)
                    {
                        // What one host lacks any other may have, also one that it stood in for.
                        trail ??= lacking < int.MaxValue
                            ? Begin(message, begun).Without(from)
                            : Begin(message, begun).Behind(from);
                    }
                    else
                    {
                        isReopened = true;
                        if (trail is null)
                            trail = Begin(message, begun);
                        else
                            trail.Again(from);
                        trail.SharesNothing = true;
                    }

                    trail.Beside = session?.Place;
                    current = await OpenAsync(trail, either.Token).ConfigureAwait(false);
                }

                if (current is null)
                {
                    GiveUpWhatNobodyCanHave(outcomes, isSure: !trail!.HasBetterLater(lacking));
                    Settle(outcomes, _ => true, why: null);
                    break;
                }

                if (MostOf(current) is var most && most < who.Length)
                {
                    Settle(outcomes, after => after == step, why: null, AfterDeferral.NewTransaction);
                    who = who[..most];
                }

                var part = who.Length == outcomes.Length ? message : PartOf(message, who);
                var answers = await current.SendAsync(part, following: null, begun, ct).ConfigureAwait(false);
                Learn(current, answers);
                lacking = LackingAt(current, answers, lacking);
                for (var i = 0; i < who.Length; i++)
                    outcomes[who[i]] = answers[i];
                // When a new transaction decided nothing, another one would not either: the next host is asked.
                if (step == AfterDeferral.NewTransaction && !Array.Exists(answers, static o => o is not Outcome.Deferred))
                    Settle(outcomes, static after => after == AfterDeferral.NewTransaction, why: null, AfterDeferral.NextHost);
            }
        }
        catch (Exception e)
        {
            Settle(outcomes, static _ => true, e is OperationCanceledException ? "this server stops" : e.Message);
        }

        if (current is not null && current != session)
        {
            if (IsConnected)
            {
                await current.DisposeAsync().ConfigureAwait(false);
            }
            else
            {
                await CloseAsync().ConfigureAwait(false);
                session = current;
            }
        }
    }

    /// <summary>Recipients that a transaction may have there.</summary>
    private int MostOf(HopSession open) => Math.Min(
        delivery.Connector.Recipients.Of(open.Endpoint)?.Recipients ?? int.MaxValue, open.Shape.RecipientsPerTransaction);

    /// <summary>The first of the recipients, as many as the host takes; the others are for the transactions that follow.</summary>
    private async ValueTask<Outcome[]> SendFirstAsync(HopSession open, OutgoingMessage message, int most, long begun, CancellationToken ct)
    {
        announced = null;
        var later = delivery.Connector.Recipients.Of(open.Endpoint)?.Refusal ?? NotYet;
        var outcomes = new Outcome[message.Recipients.Length];
        Array.Fill(outcomes, later with { After = AfterDeferral.NewTransaction });
        var part = PartOf(message, [.. Enumerable.Range(0, most)]);
        var answers = await open.SendAsync(part, following: null, begun, ct).ConfigureAwait(false);
        answers.CopyTo(outcomes, 0);
        return outcomes;
    }

    /// <summary>What came before the first that was one too many is what the host takes.</summary>
    private void Learn(HopSession open, Outcome[] outcomes)
    {
        var taken = Array.FindIndex(outcomes, static o => o is Outcome.Deferred { IsOneTooMany: true });
        if (taken > 0 && taken < MostOf(open))
            delivery.Connector.Recipients.Learn(open.Endpoint, taken, (Outcome.Deferred)outcomes[taken]);
    }

    /// <summary>What to do next, of all that is open; null when nothing is.</summary>
    private static AfterDeferral? StepOf(Outcome[] outcomes)
    {
        AfterDeferral? step = null;
        foreach (var outcome in outcomes)
        {
            step = (step, outcome) switch
            {
                (_, Outcome.Deferred { After: AfterDeferral.NewTransaction }) or (AfterDeferral.NewTransaction, _) =>
                    AfterDeferral.NewTransaction,
                (_, Outcome.Deferred { After: AfterDeferral.NewConnection }) or (AfterDeferral.NewConnection, _) =>
                    AfterDeferral.NewConnection,
                (_, Outcome.Deferred { After: AfterDeferral.NextHost }) => AfterDeferral.NextHost,
                _ => step,
            };
        }

        return step;
    }

    /// <summary>Changes what may be done for those that are open.</summary>
    private static void Settle(Outcome[] outcomes, Func<AfterDeferral, bool> of, string? why, AfterDeferral to = AfterDeferral.NextAttempt)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] is Outcome.Deferred { After: not AfterDeferral.NextAttempt } open && of(open.After))
                outcomes[i] = why is null ? open with { After = to }
                    : open with { After = to, Reply = $"{open.Reply} (no further host was asked: {why})" };
        }
    }

    /// <summary>The preference of the best host that cannot have the message.</summary>
    private static int LackingAt(HopSession? asked, Outcome[] answers, int before) =>
        asked is not null && Array.Exists(answers, static o => o is Outcome.Deferred { FailsWith: not null })
            ? Math.Min(before, asked.Endpoint.Preference)
            : before;

    /// <summary>Unless a host that is preferred to those that were asked is away: that one is waited for.</summary>
    private static void GiveUpWhatNobodyCanHave(Outcome[] outcomes, bool isSure)
    {
        for (var i = 0; isSure && i < outcomes.Length; i++)
        {
            if (outcomes[i] is Outcome.Deferred { FailsWith: not null } last)
                outcomes[i] = Outcome.Failed.Of(last);
        }
    }

    private HopTrail Begin(OutgoingMessage message, long begun, Func<string, IHostTurn?>? admits = null) =>
        delivery.Connector.Begin(hop, begun, admits, message.Client);

    private static OutgoingMessage PartOf(OutgoingMessage message, int[] who) => message with { Envelope = message.Envelope.For(who) };

    private async ValueTask<HopSession?> OpenAsync(HopTrail trail, CancellationToken ct) =>
        await trail.NextAsync(ct).ConfigureAwait(false) switch
        {
            HopConnection.Open open => SessionOf(open),
            HopConnection.Taken(var taken) => Mine(taken),
            _ => null,
        };

    /// <summary>What this destination left open a moment ago.</summary>
    private HopSession? TakeOwn() =>
        hop is NextHop.MailExchanger && delivery.Shared.TakeOwn(hop) is { } own ? Mine(own) : null;

    private HopSession Mine(HopSession taken)
    {
        taken.Place!.WhenWanted = WhenWanted;
        return taken;
    }

    private HopSession SessionOf(HopConnection.Open open)
    {
        if (open.Place is { } place)
            place.WhenWanted = WhenWanted;
        return new HopSession(open, () => delivery.Options, hop, delivery.Groups, clock);
    }

    private ValueTask LeaveAsync(HopSession left)
    {
        if (left == session)
            session = null;
        return left.DisposeAsync();
    }

    private async ValueTask CloseAsync()
    {
        if (session is not { } open)
            return;
        session = null;
        await open.DisposeAsync().ConfigureAwait(false);
    }
}
