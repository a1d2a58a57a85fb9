using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Admin;

/// <summary>What every change of the directory has in common: it is one transaction, and written down when it was made.</summary>
internal sealed class DirectoryChanges(SqliteDirectory directory, TimeProvider clock, IAuditLog? audit, Operator by)
{
    public SqliteDirectory Directory => directory;

    public Operator By => by;

    public DateTimeOffset UtcNow => clock.GetUtcNow();

    /// <summary>As the database keeps it, in milliseconds.</summary>
    public long Now => UtcNow.ToUnixTimeMilliseconds();

    /// <param name="action">The command as it is typed, such as <c>account add</c>.</param>
    /// <param name="target">What it was done to, as the log names it; <see cref="Target"/> for an account.</param>
    public AdminOutcome Change(string action, string target, Func<SqliteConnection, AdminOutcome> change)
    {
        var outcome = directory.Write(change);
        if (outcome.IsChange)
            Record(action, target, outcome.Changes.AsSpan());
        return outcome;
    }

    public void Record(string action, string target, params ReadOnlySpan<AdminChange> changes) =>
        audit?.Append(by.Did(UtcNow, action, target, changes));

    /// <summary>An account in its canonical spelling, and which part of it.</summary>
    public static string Target(string account, string? part = null)
    {
        var name = LoginNames.TryCanonical(account, out var canonical) ? canonical : account;
        return part is null ? name : $"{name}: {part}";
    }
}
