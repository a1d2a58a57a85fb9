using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Reports;

/// <summary>One recipient in a report to the sender (RFC 3464 §2.3).</summary>
/// <param name="Status">The enhanced code, such as <c>5.1.1</c>.</param>
/// <param name="Remote"><c>host[address]:port</c>; null when none was reached.</param>
/// <param name="Reply">What was answered, or our own words.</param>
/// <param name="HasExpired">It was tried until its time was over; <paramref name="Reply"/> is the last answer.</param>
internal sealed record RecipientReport(
    Mailbox Recipient,
    RecipientParameters Parameters,
    ReportAction Action,
    string Status,
    string? Remote,
    string Reply,
    bool HasExpired = false)
{
    /// <summary>What is told of an outcome.</summary>
    public static RecipientReport Of(Envelope envelope, int recipient, ReportAction action, string status, Outcome outcome) =>
        new(
            envelope.Recipients[recipient],
            envelope.ParametersOf(recipient),
            action,
            status,
            outcome.RemoteForSender,
            outcome.ForSender)
        {
            IsVerbatim = outcome is { IsVerbatim: true, Told: null },
            Outcome = outcome,
        };

    /// <summary>What the attempt ended with.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>The same in plain words, a sentence or two; null where there are none.</summary>
    public string? Plainly { get; init; }

    /// <summary><see cref="Reply"/> is what a server said, word for word.</summary>
    public bool IsVerbatim { get; init; }
}

/// <summary>What a report says of a recipient (RFC 3464 §2.3.3).</summary>
internal enum ReportAction
{
    Failed,

    /// <summary>It is in the mailbox, or with whatever stands in its place.</summary>
    Delivered,

    /// <summary>
    /// The next hop took it and will not report itself (RFC 3461 §5.2.2), or the sender traces the way (RFC 2852 §4.1.3).
    /// </summary>
    Relayed,

    /// <summary>It stood for several addresses, and has gone on to them (RFC 3461 §5.2.7.3).</summary>
    Expanded,

    /// <summary>Not delivered yet, and still tried.</summary>
    Delayed,
}
