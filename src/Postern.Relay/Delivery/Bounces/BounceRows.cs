using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Bounces;

/// <summary>
/// The rows that ship, as of November 2026: words that large receivers and much used servers are known to answer with, where their status
/// says less or something else; then what the status codes of RFC 3463, RFC 5248, RFC 7372 and RFC 7505 say.
/// </summary>
internal static class BounceRows
{
    /// <summary>The first that fits counts: the particular stands before the general.</summary>
    public static ImmutableArray<BounceRow> ByText { get; } =
    [
        // Mailboxes that are not there.
        Says("no_such_user", "recipientnotfound", "Exchange Online, with 5.1.10"),
        Says("no_such_user", "address rejected: access denied", "Exchange Online, with 5.4.1") with { Status = "5.4.1" },
        Says("no_such_user", "the email account that you tried to reach does not exist", "Gmail"),
        Says("mailbox_disabled", "the email account that you tried to reach is disabled", "Gmail"),
        Says("no_such_user", "this user doesn't have a", "Yahoo, with 554 and no status"),
        Says("no_such_user", "not a valid mailbox", "AOL"),
        Says("no_such_user", "user unknown", "Postfix, Sendmail, Exim, many more"),
        Says("no_such_user", "unknown user", "T-Online, many more"),
        Says("no_such_user", "no such user", "many"),
        Says("no_such_user", "no mailbox here by that name", "qmail"),
        Says("no_such_user", "user does not exist", "many"),
        Says("no_such_user", "mailbox does not exist", "many"),
        Says("no_such_user", "account does not exist", "many"),
        Says("no_such_user", "recipient not found", "many"),
        Says("no_such_user", "invalid recipient", "Proofpoint, Mimecast, Barracuda"),
        Says("no_such_user", "invalid mailbox", "many"),
        Says("no_such_user", "mailbox not found", "many"),
        Says("no_such_user", "mailbox unavailable", "GMX, WEB.DE, older Outlook.com") with { Code = "550" },
        Says("mailbox_disabled", "account has been disabled", "Yahoo"),
        Says("mailbox_disabled", "mailbox is inactive", "many"),
        Says("mailbox_disabled", "mailbox disabled", "many"),
        // Full.
        Says("rate_limited", "daily message quota exceeded", "Amazon SES"),
        Says("mailbox_full", "over quota", "Gmail, Yahoo, many"),
        Says("mailbox_full", "out of storage space", "Gmail"),
        Says("mailbox_full", "mailbox full", "many"),
        Says("mailbox_full", "mailbox is full", "many"),
        Says("mailbox_full", "quota exceeded", "Dovecot, many"),
        Says("mailbox_full", "exceeded storage allocation", "older Exchange"),
        Says("mailbox_busy", "is receiving mail too quickly", "Gmail"),
        Says("mailbox_busy", "receiving mail at a rate", "Gmail"),
        // Asked to wait.
        Says("greylisted", "greylist", "Postgrey, rspamd, many"),
        Says("greylisted", "graylist", "many"),
        Says("greylisted", "gl451", "Mail.ru and others"),
        Says("rate_limited", "unusual rate of", "Gmail, with 4.7.28"),
        Says("rate_limited", "rate limit", "many"),
        Says("rate_limited", "rate-limit", "many"),
        Says("rate_limited", "ratelimit", "many"),
        Says("rate_limited", "too many connections", "Yahoo, iCloud, many"),
        Says("rate_limited", "too many messages", "many"),
        Says("rate_limited", "exceeded its quota", "Exchange Online"),
        Says("rate_limited", "throttled", "Exchange Online, Amazon, many"),
        Says("rate_limited", "maximum sending rate exceeded", "Amazon SES"),
        // Not trusted.
        Says("authentication", "unauthenticated email", "Gmail, Yahoo"),
        Says("authentication", "dmarc", "many"),
        Says("authentication", "spf check failed", "many"),
        Says("authentication", "spf fail", "many"),
        Says("authentication", "dkim", "many") with { Code = "55" },
        Says("reputation", "spamhaus", "those who ask the list"),
        Says("reputation", "barracudacentral", "those who ask the list"),
        Says("reputation", "spamcop", "those who ask the list"),
        Says("reputation", "blocklist", "many"),
        Says("reputation", "block list", "Outlook.com, with S3140 or S3150"),
        Says("reputation", "blacklist", "many"),
        Says("reputation", "blocked using", "Postfix"),
        Says("reputation", "banned sending ip", "Exchange Online, with 5.7.5xx to 5.7.6xx"),
        Says("reputation", "temporarily deferred due to", "Yahoo, with TSS04 or TSS05"),
        Says("reputation", "[tss", "Yahoo"),
        Says("reputation", "poor reputation", "many"),
        Says("reputation", "bad reputation", "many"),
        Says("reputation", "low reputation", "Gmail"),
        Says("reputation", "reverse dns", "many"),
        Says("reputation", "ptr record", "Gmail, T-Online, many"),
        Says("reputation", "reverse hostname", "Postfix"),
        // Not wanted.
        Says("spam", "likely unsolicited mail", "Gmail"),
        Says("spam", "detected as spam", "many"),
        Says("spam", "spam message", "many"),
        Says("spam", "looks like spam", "many"),
        Says("spam", "identified as spam", "many"),
        Says("spam", "considered spam", "many"),
        Says("spam", "bulk mail", "many"),
        Says("malware", "virus", "ClamAV, many"),
        Says("malware", "malware", "many"),
        Says("malware", "blocked attachment", "many"),
        Says("malware", "blocked because its content presents a potential security issue", "Gmail"),
        Says("sender_refused", "sender address rejected", "Postfix"),
        Says("sender_refused", "sender verify failed", "Exim"),
        Says("sender_refused", "send as this sender", "Exchange Online"),
        Says("sender_refused", "email address is not verified", "Amazon SES"),
        Says("too_large", "message size exceeds", "Postfix, many"),
        Says("too_large", "message too large", "many"),
        Says("too_large", "message too big", "many"),
        Says("policy", "relay access denied", "Postfix"),
        Says("policy", "relaying denied", "Sendmail, many"),
        Says("policy", "unable to relay", "Exchange"),
        Says("policy", "relay not permitted", "Exim"),
        Says("policy", "local policy violation", "Proofpoint"),
        Says("policy", "administrative prohibition", "Exim, Mimecast"),
    ];

    public static ImmutableArray<BounceRow> ByStatus { get; } =
    [
        Status("no_such_user", "x.1.1", "RFC 3463"),
        Status("no_such_user", "x.1.6", "RFC 3463: moved, no forwarding address"),
        Status("no_such_domain", "x.1.2", "RFC 3463"),
        Status("no_such_domain", "x.1.10", "RFC 7505: null MX"),
        Status("sender_refused", "x.1.7", "RFC 3463"),
        Status("sender_refused", "x.1.8", "RFC 3463"),
        Status("mailbox_full", "x.2.2", "RFC 3463"),
        Status("mailbox_busy", "4.2.1", "RFC 3463"),
        Status("mailbox_disabled", "5.2.1", "RFC 3463"),
        Status("too_large", "x.3.4", "RFC 3463"),
        Status("too_large", "x.2.3", "RFC 3463"),
        Status("server_busy", "x.3.*", "RFC 3463"),
        Status("loop", "x.4.6", "RFC 3463"),
        Status("too_many_recipients", "x.5.3", "RFC 3463"),
        Status("content_refused", "x.6.*", "RFC 3463"),
        Status("authentication", "x.7.20", "RFC 7372: no DKIM signature that passes"),
        Status("authentication", "x.7.21", "RFC 7372"),
        Status("authentication", "x.7.22", "RFC 7372"),
        Status("authentication", "x.7.23", "RFC 7372: SPF"),
        Status("authentication", "x.7.24", "RFC 7372"),
        Status("reputation", "x.7.25", "RFC 7372: reverse DNS"),
        Status("authentication", "x.7.26", "RFC 7372: several checks"),
        Status("sender_refused", "x.7.27", "RFC 7505: the sender's domain takes no mail"),
        Status("rate_limited", "x.7.28", "registry: mail flood"),
        Status("policy", "x.7.*", "RFC 3463"),
        new("server_busy") { Code = "421", From = "RFC 5321" },
    ];

    private static BounceRow Says(string category, string text, string from) => new(category) { Text = text, From = from };

    private static BounceRow Status(string category, string status, string from) => new(category) { Status = status, From = from };
}
