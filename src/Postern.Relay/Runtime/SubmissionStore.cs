using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Runtime.Instruments;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>The spool as the SMTP server sees it: trace fields go on top, and 250 comes after the disk.</summary>
/// <param name="directoryOf">
/// The accounts that count on a listener: whose names may stand in the header of a login; null: nobody asks.
/// </param>
/// <param name="policy">Judges messages once their header is known; null: nobody does.</param>
/// <param name="tracesSenders">A login that names somebody else is named in the message; false: From and Sender stay as they come.</param>
/// <param name="canRequireTls">Some route can keep what REQUIRETLS promises.</param>
internal sealed class SubmissionStore(
    ISpool spool,
    IAuditLog audit,
    TimeProvider clock,
    Func<string, IDirectory>? directoryOf = null,
    bool canRequireTls = true,
    RelayPolicy? policy = null,
    bool tracesSenders = true) : IMessageStore
{
    private readonly LimitNews news = new(audit, clock);

    /// <summary>Whose content is kept when the delivery is over.</summary>
    public KeepRules Keep { get; init; } = KeepRules.None;

    /// <summary>More than the client's address is kept with a message, as a next hop is told of it.</summary>
    public bool KeepsClient { get; init; }

    /// <summary>Takes how long commits take; null for nobody.</summary>
    public MailInstruments? Instruments { get; init; }

    /// <summary>How much is held for senders; null where nobody counts.</summary>
    public HeldMail? Held { get; init; }

    internal static readonly Reply NoRoom = new(452, new(4, 3, 1), "Insufficient system storage, try again later");
    internal static readonly Reply DiskFailed = new(451, new(4, 3, 0), "Local error in storing the message, try again later");

    public StoreFeatures Honours =>
        StoreFeatures.DeliveryReports
        | StoreFeatures.Utf8
        | (canRequireTls ? StoreFeatures.RequireTls : StoreFeatures.None)
        | StoreFeatures.DeliverBy
        | StoreFeatures.Hold
        | StoreFeatures.Priority
        | StoreFeatures.Binary;

    /// <summary>Refuses before 354 what could not be stored anyway: the client keeps its bandwidth.</summary>
    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(spool.Status.Condition switch
        {
            SpoolCondition.Writable =>
                new DraftAnswer.Open(
                    new SubmissionDraft(
                        spool.CreateDraft(),
                        session,
                        transaction,
                        audit,
                        clock,
                        directoryOf?.Invoke(session.Listener),
                        policy,
                        tracesSenders)
                    {
                        Keep = Keep,
                        KeepsClient = KeepsClient,
                        WhyNotHeld = WhyNotHeldAsync,
                        Instruments = Instruments,
                    }),
            SpoolCondition.Full => new DraftAnswer.Refuse(NoRoom),
            _ => new DraftAnswer.Refuse(DiskFailed),
        });

    /// <summary>By the declared size; what comes is counted once more when it is whole.</summary>
    public ValueTask<Reply?> WhyNotHeldAsync(SessionState session, MailParameters parameters, CancellationToken ct) =>
        WhyNotHeldAsync(session, LoginFacts.TenantOf(session), parameters.DeclaredSize ?? 0, ct);

    private async ValueTask<Reply?> WhyNotHeldAsync(SessionState session, string? tenant, long octets, CancellationToken ct)
    {
        if (Held is null || await Held.WhyNotAsync(session.Login, tenant, octets, ct) is not { } excess)
            return null;
        var isLogin = excess.Kind == HeldOwner.Login;
        var key = new CounterKey(isLogin ? "held_of_login" : "held_of_tenant", excess.Name);
        news.Tell(key, LimitState.Exceeded, session, about => new LimitEvent(
            clock.GetUtcNow(), key.What, LimitState.Exceeded, key.Whose)
        {
            Allowed = excess.Limit.ToString(),
            Listener = about.Listener,
            Client = about.ClientAddress.ToString(),
            User = about.Login,
            Tenant = tenant,
            Cause = new AuditCause(AuditKind.Server, about.ClientAddress, about.Login, "limit", key.What),
        });
        return new Reply(
            552,
            new(5, 7, isLogin ? 16 : 17),
            $"Held mail of {(isLogin ? "this login" : $"tenant {excess.Name}")} reaches its limit, {excess.Limit}: "
                + "submit it again when some has been released");
    }
}
