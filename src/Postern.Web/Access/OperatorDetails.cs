using System.Collections.Immutable;

namespace Postern.Web.Access;

/// <summary>An operator as others see it; nothing secret.</summary>
/// <param name="HasPassword">An invitation was taken; else nobody can sign in by it.</param>
internal sealed record OperatorDetails(
    string Name, string Role, string? Tenant, bool Enabled, bool HasPassword, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt)
{
    /// <summary>The last time that a password and a code were right; null for never. To half a minute.</summary>
    public DateTimeOffset? SignedInAt { get; init; }

    public static OperatorDetails Of(OperatorRow row) => new(
        row.Name,
        row.RoleName,
        row.Tenant,
        row.Enabled != 0,
        row.Password is not null,
        DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        DateTimeOffset.FromUnixTimeMilliseconds(row.ChangedAt))
    {
        SignedInAt = row.TotpStep == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(row.TotpStep * 30),
    };
}

/// <summary>A way in that waits for a person.</summary>
/// <param name="Operator">Who sets the password anew; null for somebody new.</param>
internal sealed record InvitationDetails(string Role, string? Tenant, string? Operator, string CreatedBy, DateTimeOffset ExpiresAt);

/// <summary>Who may use the web plane, and who is invited to.</summary>
internal sealed record OperatorPage(ImmutableArray<OperatorDetails> Operators, ImmutableArray<InvitationDetails> Invitations);
