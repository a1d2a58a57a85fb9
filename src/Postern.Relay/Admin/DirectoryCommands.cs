using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Admin;

/// <summary>
/// What an operator may change in the directory; records in, outcomes out. Each command is one transaction, so commands of
/// several processes at once are safe, and a change that was made is appended to <paramref name="audit"/>.
/// </summary>
/// <remarks>Every command throws <see cref="DirectoryUnavailableException"/> when the database cannot be written.</remarks>
/// <param name="actor">Who asks, for the audit trail: the system user.</param>
public sealed partial class DirectoryCommands(SqliteDirectory directory, TimeProvider clock, IAuditLog? audit = null, string actor = "unknown")
{
    private AdminOutcome Change(string action, string target, Func<SqliteConnection, AdminOutcome> change)
    {
        var outcome = directory.Write(change);
        if (outcome is AdminOutcome.Done or AdminOutcome.Issued)
            audit?.Append(new AdminEvent(clock.GetUtcNow(), actor, action, target));
        return outcome;
    }

    private static string Target(string account, string? part = null)
    {
        var name = LoginNames.TryCanonical(account, out var canonical) ? canonical : account;
        return part is null ? name : $"{name}: {part}";
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
