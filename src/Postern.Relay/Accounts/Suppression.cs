using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>An address that gets no mail from here.</summary>
/// <param name="Tenant">For mail of this tenant's accounts only; null for all mail.</param>
/// <param name="Address">In canonical form.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="ExpiresAt">From then on it gets mail again; null for never.</param>
public sealed record Suppression(string? Tenant, string Address, string Reason, DateTimeOffset AddedAt, DateTimeOffset? ExpiresAt);

/// <summary>Knows which addresses get no mail.</summary>
public interface ISuppressions
{
    /// <summary>The entry that is for mail of this tenant to this recipient now; null where there is none.</summary>
    /// <param name="tenant">Whose account sends; null for nobody's.</param>
    /// <exception cref="DirectoryUnavailableException">It cannot be asked.</exception>
    ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct);
}
