using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Spool.Kept;

/// <summary>
/// Whose content is kept when the delivery is over, and for how long. What is said of a login counts before what is said of a domain, and
/// that before what is said of a tenant. Immutable.
/// </summary>
public sealed record KeepRules(ImmutableArray<KeepRule> Rules)
{
    /// <summary>Octets of all that is kept; beyond it those go first whose time ends first.</summary>
    public long MostOctets { get; init; } = 5_000_000_000;

    /// <summary>Only what the directory says of an account counts.</summary>
    public static KeepRules None { get; } = new([]);

    /// <summary>How long the content of a message is kept that is accepted now; null: it is not.</summary>
    /// <param name="ofAccount"><see cref="Account.Keep"/> of the login; null where nothing is said there.</param>
    public TimeSpan? For(Envelope envelope, TimeSpan? ofAccount)
    {
        if (ofAccount is { } own)
            return OrNull(own);
        if (Rules.IsEmpty)
            return null;
        foreach (var rule in Rules)
        {
            if (rule.Login is { } login && string.Equals(login, envelope.Login, StringComparison.OrdinalIgnoreCase))
                return OrNull(rule.For);
        }

        if (OfDomains(envelope) is { } longest)
            return OrNull(longest);
        foreach (var rule in Rules)
        {
            if (rule.Tenant is { } tenant && string.Equals(tenant, envelope.Tenant, StringComparison.OrdinalIgnoreCase))
                return OrNull(rule.For);
        }

        return null;
    }

    /// <summary>The longest of those for a domain that the message is of; null where none is.</summary>
    private TimeSpan? OfDomains(Envelope envelope)
    {
        TimeSpan? longest = null;
        foreach (var rule in Rules)
        {
            if (rule.Domain is { } domain && IsOf(envelope, domain) && !(rule.For <= longest))
                longest = rule.For;
        }

        return longest;
    }

    /// <summary>Anybody can write a sender into mail that only arrives here: there the recipient counts.</summary>
    private static bool IsOf(Envelope envelope, Domain domain)
    {
        if (!envelope.IsInbound)
            return envelope.Sender.Mailbox is { } sender && sender.Domain.Equals(domain);
        foreach (var recipient in envelope.Recipients)
        {
            if (recipient.Domain.Equals(domain))
                return true;
        }

        return false;
    }

    private static TimeSpan? OrNull(TimeSpan span) => span > TimeSpan.Zero ? span : null;
}

/// <summary>Content is kept so long, of messages of one login, of one domain, or of one tenant.</summary>
/// <param name="For">Whole seconds; zero: not at all, whatever a rule says that comes later.</param>
public sealed record KeepRule(TimeSpan For)
{
    /// <summary>Shorter is not worth a file.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    public string? Login { get; init; }

    /// <summary>Of the sender; of a recipient where a message only arrives for a domain of ours.</summary>
    public Domain? Domain { get; init; }

    public string? Tenant { get; init; }
}

/// <summary>Takes the content of messages whose delivery is over, before the spool forgets them.</summary>
public interface IContentKeeper
{
    /// <summary>
    /// Keeps those that are to be kept (<see cref="Envelope.KeepFor"/>), as far as there is room; done when they are durable, or it is told
    /// in the log why one is not kept. One that is kept already stays as it is.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The end of the server came first: nothing may be forgotten.</exception>
    ValueTask KeepAsync(ISpool spool, IReadOnlyList<SpoolEntry> ended, CancellationToken ct);
}
