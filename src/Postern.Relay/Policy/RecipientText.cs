using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>Recipients as people list them: an address, or <c>@</c> and a domain for all of its addresses.</summary>
public static class RecipientText
{
    /// <summary>The canonical form; null where it is neither.</summary>
    public static string? TryParse(string text) =>
        text.Contains(' ', StringComparison.Ordinal) ? null
            : text.StartsWith('@')
                ? Domain.TryParse(text[1..], out var domain) && domain.Literal is null ? $"@{domain.Text}" : null
                : Mailbox.TryParse(text, out var mailbox) ? mailbox.Canonical : null;
}
