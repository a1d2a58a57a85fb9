using System.Collections.Immutable;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>One row of the extension table: what EHLO says of it, and which parameters it brings (RFC 5321 §2.2).</summary>
/// <param name="Keyword">As registered; upper case.</param>
/// <param name="Announce">The EHLO line, which opens with the keyword; null where it is not offered.</param>
internal sealed record Extension(string Keyword, Func<Offer, string?> Announce)
{
    public ImmutableArray<Parameter<MailParameters>> Mail { get; init; } = [];

    public ImmutableArray<Parameter<RecipientParameters>> Rcpt { get; init; } = [];

    /// <summary>
    /// Why a server may not have a message, for what it offers or lacks of this extension: what is known to be refused, or would break a
    /// promise, is not sent. Null: it may.
    /// </summary>
    public Func<Passage, Reply?>? WhyNot { get; init; }

    /// <summary>Whether its parameters are taken; null: exactly where it is announced.</summary>
    public Func<Offer, bool>? Takes { get; init; }

    /// <summary>Its line holds a date: the reply to EHLO is made anew from time to time.</summary>
    public bool IsDated { get; init; }

    public bool Has(string keyword) => Keyword.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public bool IsTaken(Offer offer) => !offer.IsWithout(Keyword) && (Takes?.Invoke(offer) ?? Announce(offer) is not null);

    public string? LineFor(Offer offer) => offer.IsWithout(Keyword) ? null : Announce(offer);
}
