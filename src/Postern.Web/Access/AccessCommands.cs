using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Access;

/// <summary>
/// Who may use the web plane, by noun; records in, outcomes out. Each command is one transaction, so commands of several processes at once
/// are safe. What was changed is appended to the log, and so is what was refused; neither ever holds a secret.
/// </summary>
/// <remarks>Every command throws <see cref="DirectoryUnavailableException"/> when the database cannot be written.</remarks>
internal sealed class AccessCommands
{
    /// <param name="audit">Where changes are written down; null for nowhere. Whoever answers a program waits for its flush.</param>
    /// <param name="by">Who asks.</param>
    public AccessCommands(SqliteDirectory directory, TimeProvider clock, IAuditLog? audit, Operator by)
    {
        var changes = new DirectoryChanges(directory, clock, audit, by);
        Operators = new OperatorCommands(changes);
        Keys = new KeyCommands(changes);
    }

    public OperatorCommands Operators { get; }

    public KeyCommands Keys { get; }

    /// <summary>A change, which is written down whether it was made or refused.</summary>
    internal static AdminOutcome Change(
        DirectoryChanges changes, string action, string target, Func<SqliteConnection, AdminOutcome> change) =>
        Refused(changes, action, target, changes.Change(action, target, change));

    /// <summary>The outcome, written down where nothing was changed.</summary>
    internal static AdminOutcome Refused(DirectoryChanges changes, string action, string target, AdminOutcome outcome)
    {
        if (outcome is AdminOutcome.Invalid or AdminOutcome.NotFound)
            changes.Record(action, target, new AdminChange("refused", Before: null, outcome.Message));
        return outcome;
    }
}
