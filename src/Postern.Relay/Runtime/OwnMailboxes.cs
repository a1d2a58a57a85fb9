using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>
/// VRFY: an account's own sender addresses exist; of every other mailbox nothing is told. A relay does not know remote mailboxes, and
/// must not tell one user of another.
/// </summary>
/// <param name="directoryOf">The accounts that count on a listener.</param>
internal sealed class OwnMailboxes(Func<string, IDirectory> directoryOf) : IMailboxVerifier
{
    public async ValueTask<MailboxAnswer> VerifyAsync(SessionState session, Mailbox mailbox, CancellationToken ct)
    {
        try
        {
            return session.Login is { } login
                && await directoryOf(session.Listener).FindAccountAsync(login, ct) is { Enabled: true } account
                && account.Addresses.Contains(mailbox.Canonical, StringComparer.OrdinalIgnoreCase)
                ? MailboxAnswer.Exists
                : MailboxAnswer.Unknown;
        }
        catch (DirectoryUnavailableException)
        {
            return MailboxAnswer.Unknown;
        }
    }
}
