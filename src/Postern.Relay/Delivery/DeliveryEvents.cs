using System.Globalization;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>An outcome as the log has it.</summary>
internal static class DeliveryEvents
{
    /// <param name="recipient">Which of the envelope it is for.</param>
    /// <param name="options">Those in force: the route that decided is named, and the category is called by their table.</param>
    /// <param name="next">When it is tried again; null when it is not.</param>
    /// <param name="signedBy">The keys that signed what was sent; null for none.</param>
    /// <param name="sentAs">The sender that it goes with, where it is another than that of the envelope; null where it is not.</param>
    public static DeliveryEvent Of(
        DateTimeOffset now,
        Envelope envelope,
        int recipient,
        Outcome outcome,
        DeliveryOptions options,
        int attempt,
        DateTimeOffset? next = null,
        string? signedBy = null,
        Mailbox? sentAs = null) =>
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
            // An alias led there, and no route.
            Route = envelope.Expanded is { } expanded && expanded.Places.Contains(recipient)
                ? null
                : options.Routes.NameOf(envelope, envelope.Recipients[recipient]),
            DurationMs = outcome.Took is { } took ? (int)Math.Min(took.TotalMilliseconds, int.MaxValue) : null,
            Category = CategoryOf(outcome, options.Bounces),
            SignedBy = outcome.Phase >= DeliveryPhase.Data || outcome is Outcome.Delivered ? signedBy : null,
            SentAs = outcome.Phase >= DeliveryPhase.Mail || outcome is Outcome.Delivered ? sentAs?.Address : null,
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

    /// <summary>A message to what recipients of another stood for has come about: it is told of as one that was accepted.</summary>
    public static AcceptedEvent ExpandedInto(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        return new AcceptedEvent(
            envelope.ArrivedAt,
            new EventOrigin("-", envelope.Listener ?? "-", envelope.Client?.ToString() ?? "-")
            {
                User = envelope.Login,
                Tenant = envelope.Tenant,
            },
            envelope.Id.ToString(),
            envelope.Sender.Address,
            [.. envelope.Recipients.Select(static r => r.Address)],
            entry.Size)
        {
            EnvelopeId = envelope.Parameters.EnvelopeId,
            ExpandedFrom = envelope.Expanded!.Of.ToString(),
            Source = MessageSource.Internal,
        };
    }

    /// <summary>The same, of the message whose recipients they were.</summary>
    /// <param name="entry">The message that has come about.</param>
    public static ExpandedEvent ExpansionOf(SpoolEntry entry, DateTimeOffset at)
    {
        var envelope = entry.Envelope;
        return new ExpandedEvent(
            at,
            envelope.Expanded!.Of.ToString(),
            envelope.Id.ToString(),
            [.. envelope.Expanded.Through.Select(static r => r.Address)],
            envelope.Recipients.Length)
        {
            Owner = envelope.Sender.Mailbox is { } sender && sender.LocalPart.StartsWith("owner-", StringComparison.OrdinalIgnoreCase)
                ? sender.Address
                : null,
        };
    }

    /// <summary>What kind of trouble it was, as <see cref="BounceTable"/> has it; null for a delivery.</summary>
    public static string? CategoryOf(Outcome outcome, BounceTable? bounces = null) => (bounces ?? BounceTable.Default).WordOf(outcome);

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
