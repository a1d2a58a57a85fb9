using System.Globalization;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery;

/// <summary>An outcome as the log has it.</summary>
internal static class DeliveryEvents
{
    /// <param name="recipient">Which of the envelope it is for.</param>
    /// <param name="routes">Those in force: the event names the one that decided.</param>
    /// <param name="next">When it is tried again; null when it is not.</param>
    public static DeliveryEvent Of(
        DateTimeOffset now,
        Envelope envelope,
        int recipient,
        Outcome outcome,
        RouteTable routes,
        int attempt,
        DateTimeOffset? next = null) =>
        new(now, envelope.Id.ToString(), envelope.Recipients[recipient].Address, Came(outcome), attempt, outcome.Reply)
        {
            RecipientIndex = recipient,
            Remote = outcome.Remote,
            Tls = outcome.Tls,
            TlsTrust = outcome.Tls is null ? null : TlsWords.Of(outcome.Security?.Trust ?? TlsTrust.None),
            TlsPolicy = outcome.Security is { } security ? TlsWords.Of(security.Policy) : null,
            TlsFault = outcome.Security?.Fault is { } fault ? TlsWords.Of(fault) : null,
            Certificate = outcome.Security?.Certificate?.Sha256,
            CertificateFor = outcome.Security?.Certificate?.For,
            NextAttempt = next,
            Code = outcome.Code,
            Status = outcome.Status,
            Phase = WordOf(outcome.Phase),
            Route = routes.NameOf(envelope, envelope.Recipients[recipient]),
            DurationMs = outcome.Took is { } took ? (int)Math.Min(took.TotalMilliseconds, int.MaxValue) : null,
            Category = CategoryOf(outcome),
        };

    /// <summary>The server holds a message for errors of its own.</summary>
    /// <param name="until">When it is tried a last time.</param>
    /// <param name="errors">How many attempts in a row failed here; null where that is not known any more.</param>
    public static ServerEvent Held(DateTimeOffset at, QueueId id, DateTimeOffset until, int? errors)
    {
        var failed = errors is { } count ? string.Create(CultureInfo.InvariantCulture, $"{count} attempts in a row") : "attempts in a row";
        return new ServerEvent(at, "message_held", string.Create(
            CultureInfo.InvariantCulture,
            $"{id}: {failed} failed on this server; tried a last time at {until.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC, "
                + $"unless it is released before"))
        {
            QueueId = id.ToString(),
        };
    }

    /// <summary>
    /// What kind of trouble it was, for counting and for those who react to it: of a refusal what its enhanced status says (RFC 3463), else
    /// the cause. Null for a delivery.
    /// </summary>
    public static string? CategoryOf(Outcome outcome) => outcome.Cause switch
    {
        DeliveryCause.None => null,
        DeliveryCause.Refused =>
            CategoryOf(EnhancedStatus.Parse(outcome.Status)) ?? (outcome.Code is { } code ? CategoryOf(code) : "refused"),
        DeliveryCause.Unreachable => "unreachable",
        DeliveryCause.Broken => "connection_broken",
        DeliveryCause.NoRoute => "no_route",
        DeliveryCause.NoTls => "no_tls",
        DeliveryCause.NotCapable => "not_capable",
        DeliveryCause.LoginFailed => "login_failed",
        DeliveryCause.Loop => "loop",
        DeliveryCause.Expired => "expired",
        DeliveryCause.OwnShortage => "own_shortage",
        DeliveryCause.OwnSurroundings => "own_surroundings",
        _ => "own_mistake",
    };

    private static string? CategoryOf(EnhancedStatus? status) => status switch
    {
        { Subject: 1, Detail: 1 or 6 } => "no_such_user",
        { Subject: 1, Detail: 2 or 10 } => "no_such_domain",
        { Subject: 1, Detail: 7 or 8 } => "sender_refused",
        { Subject: 2, Detail: 2 } => "mailbox_full",
        { Subject: 2, Detail: 1, Class: 4 } => "mailbox_busy",
        { Subject: 2, Detail: 1 } => "mailbox_disabled",
        { Subject: 3, Detail: 4 } or { Subject: 2, Detail: 3 } => "too_large",
        { Subject: 3 } => "server_busy",
        { Subject: 4, Detail: 6 } => "loop",
        { Subject: 5, Detail: 3 } => "too_many_recipients",
        { Subject: 6 } => "content_refused",
        { Subject: 7 } => "policy",
        _ => null,
    };

    /// <summary>Where no enhanced status says more.</summary>
    private static string CategoryOf(int code) => code switch
    {
        421 => "server_busy",
        _ => "refused",
    };

    private static DeliveryOutcome Came(Outcome outcome) => outcome switch
    {
        Outcome.Delivered => DeliveryOutcome.Delivered,
        Outcome.Failed => DeliveryOutcome.Failed,
        _ => DeliveryOutcome.Deferred,
    };

    private static string? WordOf(DeliveryPhase? phase) => phase switch
    {
        DeliveryPhase.Dns => "dns",
        DeliveryPhase.Connect => "connect",
        DeliveryPhase.Tls => "tls",
        DeliveryPhase.Login => "login",
        DeliveryPhase.Mail => "mail",
        DeliveryPhase.Rcpt => "rcpt",
        DeliveryPhase.Data => "data",
        DeliveryPhase.End => "end",
        _ => null,
    };
}
