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

    public static Refusal ClientRejected { get; } = new(554, NotAuthorized, "Client host rejected: Access denied");

    /// <summary>Postfix's code; the name itself is not repeated.</summary>
    public static Refusal HeloRejected { get; } = new(
        504, new EnhancedStatus(5, 5, 2), "Helo command rejected: need fully-qualified hostname");

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
}
