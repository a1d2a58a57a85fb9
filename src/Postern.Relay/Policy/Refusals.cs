using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Postern.Relay.Policy.Suspending;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy;

/// <summary>Every reply with which the policy refuses, on one page. None is longer than the 512 octets of RFC 5321 §4.5.3.1.5.</summary>
internal static class Refusals
{
    /// <summary>The longest piece of a login name that a reply repeats; the longest mailbox still fits beside it.</summary>
    private const int MostLoginCharacters = 80;

    private static readonly EnhancedStatus NotAuthorized = new(5, 7, 1);

    /// <summary>The directory cannot answer (RFC 3463: other mail system status).</summary>
    public static Refusal Temporary { get; } = new(451, new EnhancedStatus(4, 3, 0), "Temporary failure, try again later");

    /// <summary>The same for good, where an operator wants it so.</summary>
    public static Refusal CannotSay { get; } = new(550, NotAuthorized, "This cannot be checked, and is refused");

    /// <summary>Somebody who was asked wants what is not done here; Postfix's code and words.</summary>
    public static Refusal Misconfigured { get; } = new(451, new EnhancedStatus(4, 3, 5), "Server configuration problem, try again later");

    /// <summary>Postfix's code and words.</summary>
    public static Refusal UnauthPipelining { get; } = new(
        503, new EnhancedStatus(5, 5, 0), "Improper use of SMTP command pipelining");

    /// <summary>What is said beside the address of a recipient that its own server refuses.</summary>
    public static Refusal UndeliverableAddress { get; } = new(550, new EnhancedStatus(5, 1, 1), "undeliverable address");

    /// <summary>Of a rule that refuses whatever comes to it.</summary>
    public static Refusal Refused { get; } = new(554, NotAuthorized, "Access denied");

    public static Refusal Deferred { get; } = new(450, new EnhancedStatus(4, 7, 1), "Access denied for now, try again later");

    public static Refusal Plaintext { get; } = new(450, new EnhancedStatus(4, 7, 1), "Session encryption is required: use STARTTLS");

    public static Refusal UnknownHelo { get; } = new(450, new EnhancedStatus(4, 7, 1), "Helo command rejected: Host not found");

    /// <summary>RFC 7372 §3.3: reverse DNS validation failed.</summary>
    public static Refusal UnknownClient { get; } = new(
        450, new EnhancedStatus(4, 7, 25), "Client host rejected: its address has no name that leads back to it");

    /// <summary>What <see cref="UnknownSenderDomain"/> and <see cref="UnknownRecipientDomain"/> say beside the address.</summary>
    public static Refusal NoSuchDomain { get; } = new(450, new EnhancedStatus(4, 1, 8), "Domain not found");

    public static Refusal CannotLookUpClient { get; } = new(451, new EnhancedStatus(4, 4, 3), "DNS does not answer, try again later");

    public static Refusal ClientRejected { get; } = new(554, NotAuthorized, "Client host rejected: Access denied");

    /// <summary>Of a listener that is there for others.</summary>
    public static Refusal NoDevice(RuleContext context) =>
        ClientRejected with { Text = $"Client host rejected: {context.Facts.Client} is none of the devices that may send here" };

    /// <summary>Of a sender that may write to some only.</summary>
    public static Refusal OtherRecipient(RuleContext context) =>
        new(550, NotAuthorized, $"<{context.Recipient}>: Recipient address rejected: this client may write to other recipients only");

    /// <summary>Postfix's code; the name itself is not repeated.</summary>
    public static Refusal HeloRejected { get; } = new(
        504, new EnhancedStatus(5, 5, 2), "Helo command rejected: need fully-qualified hostname");

    public static Refusal NonFqdnSender(RuleContext context) =>
        new(504, new EnhancedStatus(5, 5, 2), $"{context.Sender}: Sender address rejected: need fully-qualified address");

    public static Refusal NonFqdnRecipient(RuleContext context) =>
        new(504, new EnhancedStatus(5, 5, 2), $"<{context.Recipient}>: Recipient address rejected: need fully-qualified address");

    /// <summary>Postfix's code: it may be a mistake in the domain's DNS, that is mended.</summary>
    public static Refusal UnknownSenderDomain(Mailbox sender) =>
        new(450, new EnhancedStatus(4, 1, 8), $"<{sender}>: Sender address rejected: Domain not found");

    public static Refusal UnknownRecipientDomain(Mailbox recipient) =>
        new(450, new EnhancedStatus(4, 1, 2), $"<{recipient}>: Recipient address rejected: Domain not found");

    /// <summary>RFC 7505 §4.2.</summary>
    public static Refusal SenderTakesNoMail(Mailbox sender) =>
        new(550, new EnhancedStatus(5, 7, 27), $"<{sender}>: Sender address rejected: its domain takes no mail (null MX)");

    /// <summary>RFC 7505 §4.1.</summary>
    public static Refusal RecipientTakesNoMail(Mailbox recipient) =>
        new(556, new EnhancedStatus(5, 1, 10), $"<{recipient}>: Recipient address rejected: its domain takes no mail (null MX)");

    public static Refusal CannotLookUp(Mailbox address) =>
        CannotLookUpClient with { Text = $"<{address}>: its domain cannot be looked up now, try again later" };

    public static Refusal UndeliverableRecipient(Mailbox recipient) =>
        UndeliverableAddress with { Text = $"<{recipient}>: Recipient address rejected: undeliverable address" };

    /// <summary>Postfix's code: its server may be wrong today.</summary>
    public static Refusal UndeliverableSender(Mailbox sender) =>
        new(450, new EnhancedStatus(4, 1, 7), $"<{sender}>: Sender address rejected: undeliverable address");

    /// <summary>Of a message whose header names somebody else than who logged in.</summary>
    /// <param name="field">Where it does.</param>
    /// <param name="author">Null where it names nobody.</param>
    public static Refusal AuthorNotOwned(RuleContext context, string field, string? author) =>
        new(
            550,
            NotAuthorized,
            $"{(author is null ? $"The {field} field" : $"<{author}>: {field} address")} rejected: not owned by user {Login(context)}");

    /// <summary>Temporary: the same message may be sent later.</summary>
    public static Refusal OverLimit(RuleContext context, string reason) =>
        new(450, new EnhancedStatus(4, 7, 1), $"{context.Sender}: Sender address rejected: {reason}");

    /// <summary>530 where logging in would help, so that a client asks its user (RFC 4954 §6); else the plain refusal.</summary>
    public static Refusal RelayDenied(RuleContext context) =>
        AuthenticationRequired(context) ?? new(550, NotAuthorized, $"<{context.Recipient}>: Relay access denied");

    public static Refusal NotLoggedIn(RuleContext context) =>
        AuthenticationRequired(context) ?? SenderRejected(550, context, "not logged in");

    public static Refusal NotOwned(RuleContext context) => SenderRejected(553, context, $"not owned by user {Login(context)}");

    public static Refusal UnlistedDomain(RuleContext context) => SenderRejected(550, context, "its domain is not listed here");

    public static Refusal AccountDisabled(RuleContext context) => SenderRejected(550, context, $"account disabled: {Login(context)}");

    /// <summary>
    /// Permanent, as of an account that is disabled: a program that asks again and again would show its user nothing.
    /// </summary>
    public static Refusal Suspended(RuleContext context, Suspension suspension) =>
        SenderRejected(
            550,
            context,
            string.Create(
                CultureInfo.InvariantCulture,
                $"this {suspension.Of.Word()} is suspended until {suspension.Until.UtcDateTime:yyyy-MM-dd HH:mm} UTC: "
                    + $"{suspension.Reason}"));

    /// <summary>Of a login that is slowed.</summary>
    public static Refusal Slowed(RuleContext context) =>
        new(
            450,
            new EnhancedStatus(4, 7, 1),
            $"{context.Sender}: Sender address rejected: unusual sending by this login, which is slowed down, try again in a minute");

    /// <summary>Of a login that is suspended with this.</summary>
    public static Refusal Unusual(RuleContext context) =>
        SenderRejected(550, context, "unusual sending by this login, which is suspended: ask your postmaster");

    /// <summary>Of a mailbox that bounced for good, or that an operator wants left alone.</summary>
    public static Refusal Suppressed(RuleContext context) =>
        new(550, new EnhancedStatus(5, 1, 1), $"<{context.Recipient}>: Recipient address rejected: it is on the suppression list here");

    /// <summary>Of an address in a domain of ours that nothing knows.</summary>
    public static Refusal UnlistedRecipient(RuleContext context) =>
        new(550, new EnhancedStatus(5, 1, 1), $"<{context.Recipient}>: Recipient address rejected: there is no such mailbox here");

    /// <summary>Of an address in the form of those that forwarded mail has as its sender.</summary>
    public static Refusal NotRewrittenHere(RuleContext context, string why) =>
        new(550, new EnhancedStatus(5, 1, 1), $"<{context.Recipient}>: Recipient address rejected: {why}");

    private static Refusal? AuthenticationRequired(RuleContext context) => context.Facts switch
    {
        { Login: not null } => null,
        { OffersAuth: true } => new(530, new EnhancedStatus(5, 7, 0), "Authentication required"),
        { OffersAuthAfterTls: true } => new(530, new EnhancedStatus(5, 7, 0), "Authentication required, after STARTTLS"),
        _ => null,
    };

    private static Refusal SenderRejected(int code, RuleContext context, string reason) =>
        new(code, NotAuthorized, $"{context.Sender}: Sender address rejected: {reason}");

    private static string Login(RuleContext context) => context.Facts.Login switch
    {
        { Length: > MostLoginCharacters } login => $"{login.AsSpan(0, MostLoginCharacters)}...",
        var login => login ?? string.Empty,
    };
}

/// <summary>A policy's reply before it carries the reference of its decision.</summary>
internal sealed record Refusal(int Code, EnhancedStatus Status, string Text)
{
    public Reply ToReply(string reference) => new(Code, Status, $"{Text} (ref {reference})");

    /// <summary>Reads what <see cref="ToReply"/> made, as the log has it; the reference stays in the text.</summary>
    public static bool TryParse(string? reply, [NotNullWhen(true)] out Refusal? refusal)
    {
        refusal = reply?.Split(' ', 3) is [var code, var status, var text]
            && int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && EnhancedStatus.Parse(status) is { } enhanced
                ? new Refusal(number, enhanced, text)
                : null;
        return refusal is not null;
    }
}
