using System.Globalization;
using Dapper;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>Changes which addresses get no mail.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class SuppressionCommands
{
    private readonly DirectoryChanges changes;

    internal SuppressionCommands(DirectoryChanges changes) => this.changes = changes;

    /// <summary>Keeps mail from an address; one that is there gets the new reason and time.</summary>
    /// <param name="tenant">For mail of this tenant's accounts only; null for all mail.</param>
    /// <param name="lasts">Null: until it is removed.</param>
    public AdminOutcome Add(string address, string? tenant, string? reason, TimeSpan? lasts)
    {
        if (!Mailbox.TryParse(address, out var mailbox))
            return new AdminOutcome.Invalid($"'{address}' is not an address");
        var (canonical, whose) = (mailbox.Canonical, tenant?.ToLowerInvariant() ?? string.Empty);
        var now = changes.UtcNow;
        var expires = lasts is { } span ? now + span : (DateTimeOffset?)null;
        var words = reason is { Length: > 0 } said ? said : "added by an operator";
        return changes.Change("suppression add", Target(canonical, tenant), sql =>
        {
            sql.Execute(
                """
                insert into suppressions (address, tenant, reason, added_at, expires_at) values (@canonical, @whose, @words, @at, @until)
                on conflict (address, tenant) do update set reason = excluded.reason, expires_at = excluded.expires_at
                """,
                new { canonical, whose, words, at = now.ToUnixTimeMilliseconds(), until = expires?.ToUnixTimeMilliseconds() });
            var until = expires is { } at
                ? string.Create(CultureInfo.InvariantCulture, $" until {at.UtcDateTime:yyyy-MM-dd HH:mm} UTC")
                : null;
            return new AdminOutcome.Done($"{Target(canonical, tenant)} gets no mail from here{until}")
            {
                Changes = [new AdminChange("suppression", Before: null, words)],
            };
        });
    }

    /// <summary>Lets an address have mail again.</summary>
    /// <param name="tenant">The entry of this tenant; null: the one for all mail.</param>
    public AdminOutcome Remove(string address, string? tenant)
    {
        if (!Mailbox.TryParse(address, out var mailbox))
            return new AdminOutcome.Invalid($"'{address}' is not an address");
        var (canonical, whose) = (mailbox.Canonical, tenant?.ToLowerInvariant() ?? string.Empty);
        return changes.Change("suppression remove", Target(canonical, tenant), sql =>
        {
            if (sql.Execute("delete from suppressions where address = @canonical and tenant = @whose", new { canonical, whose }) > 0)
                return new AdminOutcome.Done($"{Target(canonical, tenant)} may have mail again")
                {
                    Changes = [new AdminChange("suppression", canonical, After: null)],
                };
            var others = sql.Query<string>("select tenant from suppressions where address = @canonical order by tenant", new { canonical })
                .Select(static other => other.Length == 0 ? "for all mail, without --tenant" : $"--tenant {other}")
                .ToList();
            return new AdminOutcome.NotFound(
                others.Count == 0
                    ? $"{Target(canonical, tenant)} is not suppressed"
                    : $"{Target(canonical, tenant)} is not suppressed; there is an entry {string.Join(", and ", others)}");
        });
    }

    private static string Target(string address, string? tenant) => tenant is null ? address : $"{address} for {tenant}";
}
