using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>
/// VRFY: an account's own sender addresses exist; of every other mailbox nothing is told. A relay does not know remote mailboxes, and
/// must not tell one user of another.
/// </summary>
internal sealed class OwnMailboxes(IDirectory directory) : IMailboxVerifier
{
    public async ValueTask<MailboxAnswer> VerifyAsync(SessionState session, Mailbox mailbox, CancellationToken ct)
    {
        try
        {
            return session.Login is { } login && await directory.FindAccountAsync(login, ct) is { Enabled: true } account
                && account.Addresses.Contains(mailbox.Canonical, StringComparer.OrdinalIgnoreCase) ? MailboxAnswer.Exists : MailboxAnswer.Unknown;
        }
        catch (DirectoryUnavailableException)
        {
            return MailboxAnswer.Unknown;
        }
    }
}
