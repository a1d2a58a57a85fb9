using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>What an account may send as. Mailboxes compare in their canonical form: <c>"A"@b</c> is <c>a@b</c>.</summary>
internal static class SenderGrants
{
    public static bool Owns(Account account, Mailbox sender)
    {
        foreach (var address in account.Addresses)
        {
            if (string.Equals(address, sender.Canonical, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return HasDomain(account, sender.Domain);
    }

    /// <summary>The whole domain is granted. A grant of a domain says nothing about those below it.</summary>
    public static bool HasDomain(Account account, Domain domain)
    {
        foreach (var granted in account.Domains)
        {
            if (string.Equals(granted, domain.Text, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
