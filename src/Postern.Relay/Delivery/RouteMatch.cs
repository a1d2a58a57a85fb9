using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Which messages a route is for, by what their envelope says; the recipient's domain is not among it. Every condition must hold, by one of
/// its values.
/// </summary>
internal sealed record RouteMatch(
    ImmutableArray<RouteMatch.Sender> From,
    ImmutableArray<string> Logins,
    ImmutableArray<string> Listeners,
    ImmutableArray<string> Tenants)
{
    /// <summary>It holds for every message.</summary>
    public bool IsAll => From.IsEmpty && Logins.IsEmpty && Listeners.IsEmpty && Tenants.IsEmpty;

    /// <summary>The condition that does not hold for this message, for people; null where all do, and it is for it.</summary>
    public string? WhyNot(Envelope envelope) =>
        !From.IsEmpty && !IsFrom(envelope.Sender) ? "it is for other senders"
        : !Holds(Logins, envelope.Login) ? "it is for other logins"
        : !Holds(Listeners, envelope.Listener) ? "it is for other listeners"
        : !Holds(Tenants, envelope.Tenant) ? "it is for other tenants"
        : null;

    private bool IsFrom(ReversePath sender)
    {
        foreach (var match in From)
        {
            if (match.Fits(sender))
                return true;
        }

        return false;
    }

    private static bool Holds(ImmutableArray<string> any, string? value)
    {
        if (any.IsEmpty)
            return true;
        foreach (var one in any)
        {
            if (string.Equals(one, value, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    /// <summary>One way to mean senders: an address, a domain, all domains below one, or the null path.</summary>
    /// <param name="Suffix">With its dot in front.</param>
    internal readonly record struct Sender(Mailbox? Address, Domain? Domain, string? Suffix)
    {
        public bool Fits(ReversePath sender) => sender.Mailbox switch
        {
            null => this == default,
            var mailbox when Address is not null => Address.Equals(mailbox),
            var mailbox when Domain is not null => Domain.Equals(mailbox.Domain),
            var mailbox => Suffix is not null && mailbox.Domain.Text.EndsWith(Suffix, StringComparison.Ordinal),
        };

        /// <summary>
        /// Reads <c>lisa@example.org</c>, <c>@example.org</c>, <c>@.example.org</c>, the same without @, or <c>&lt;&gt;</c>.
        /// </summary>
        public static bool TryParse(string text, out Sender match)
        {
            match = default;
            if (text == "<>")
                return true;
            if (text.IndexOf('@', StringComparison.Ordinal) > 0)
            {
                match = Mailbox.TryParse(text, out var address) ? new(address, Domain: null, Suffix: null) : default;
                return match != default;
            }

            var name = text.StartsWith('@') ? text[1..] : text;
            var isSuffix = name.StartsWith('.');
            if (Domain.TryParse(isSuffix ? name[1..] : name, out var domain))
                match = isSuffix ? new(Address: null, Domain: null, "." + domain.Text) : new(Address: null, domain, Suffix: null);
            return match != default;
        }
    }
}
