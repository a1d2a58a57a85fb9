using System.Text;
using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>Who sends a message by a login, for the question whose names stand in its header.</summary>
/// <param name="Login">The authorization id.</param>
/// <param name="Account">Null where there is none any more, or never was: then nothing is owned.</param>
/// <param name="Sender">The reverse-path; null for the null sender.</param>
/// <param name="IsUtf8">The header may hold addresses beyond US-ASCII.</param>
internal readonly record struct Submitter(string Login, Account? Account, Mailbox? Sender, bool IsUtf8)
{
    /// <summary>The account may send as this mailbox. What is no mailbox is nobody's.</summary>
    public bool Owns(ReadOnlySpan<byte> address)
    {
        if (Account is null)
            return false;
        if (Sender is { } sender && Ascii.EqualsIgnoreCase(address, sender.Address)) // the usual one, and already parsed
            return Account.MaySendAs(sender);
        return Mailbox.TryParse(address, out var mailbox) && Account.MaySendAs(mailbox);
    }

    /// <summary>
    /// What Sender may say (RFC 6409 §8.1: a valid address). The reverse-path where the account owns it, as recipients see that one anyway;
    /// else the account's name, where that is an address of it, or its only address. Null for none, or for several of which none was
    /// chosen.
    /// </summary>
    public string? Address()
    {
        if (Account is not { } account)
            return null;
        if (Sender is { } sender && account.MaySendAs(sender))
            return Fitting(sender);
        if (Mailbox.TryParse(account.Name, out var name) && account.MaySendAs(name))
            return Fitting(name);
        return account.Addresses is [var only] && Mailbox.TryParse(only, out var own) ? Fitting(own) : null;
    }

    private string? Fitting(Mailbox mailbox) => mailbox.IsAscii || IsUtf8 ? mailbox.Address : null;
}
