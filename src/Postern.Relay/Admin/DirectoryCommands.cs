using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin.Import;
using Postern.Relay.Audit;

namespace Postern.Relay.Admin;

/// <summary>
/// What an operator may change in the directory, by noun; records in, outcomes out. Each command is one transaction, so commands of
/// several processes at once are safe, and a change that was made is appended to the log.
/// </summary>
/// <remarks>Every command throws <see cref="DirectoryUnavailableException"/> when the database cannot be written.</remarks>
public sealed class DirectoryCommands
{
    /// <param name="audit">Where changes are written down; null for nowhere.</param>
    /// <param name="by">Who asks, for the audit trail; null where that is not known.</param>
    public DirectoryCommands(SqliteDirectory directory, TimeProvider clock, IAuditLog? audit = null, Operator? by = null)
    {
        var changes = new DirectoryChanges(directory, clock, audit, by ?? new Operator("unknown"));
        Accounts = new AccountCommands(changes);
        Credentials = new CredentialCommands(changes);
        Suppressions = new SuppressionCommands(changes);
        Domains = new DomainCommands(changes);
        Networks = new NetworkCommands(changes);
        Dkim = new DkimCommands(changes);
        Import = new AccountImport(changes);
    }

    public AccountCommands Accounts { get; }

    public CredentialCommands Credentials { get; }

    public SuppressionCommands Suppressions { get; }

    public DomainCommands Domains { get; }

    public NetworkCommands Networks { get; }

    public DkimCommands Dkim { get; }

    public AccountImport Import { get; }
}
