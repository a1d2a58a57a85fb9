using System.Buffers;
using System.Net.Sockets;
using Postern.Relay.Policy.Suspending;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// What an operator can do about a refusal, as a command to paste or a line to write. Addresses and names came from the network:
/// they are quoted for a POSIX shell, because a local part may hold <c>$(...)</c>.
/// </summary>
internal static class Remedies
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-");

    /// <summary>Of a rule that an operator wrote to refuse what it has refused.</summary>
    public static Remedy TakeOut(IRelayRule rule) =>
        (_, _) => new($"take {rule.Name} out of rules, or write a rule that permits before it");

    public static ValueTask<string> TrustClientAsync(RuleContext context, CancellationToken ct) =>
        new($"add {Network(context)} to networks in postern.yaml: it may then relay as anyone");

    public static ValueTask<string> LogInAsync(RuleContext context, CancellationToken ct) => new(LogIn(context));

    public static async ValueTask<string> RestoreAccountAsync(
        RuleContext context, CancellationToken ct) => await context.FindAccountAsync(ct) switch
    {
        null => $"postern account add {Login(context)}",
        { Store: { } store } => $"unlock {Login(context)} in {Quote(store)}",
        _ => $"postern account enable {Login(context)}",
    };

    /// <summary>Null senders have no domain: nothing to allow.</summary>
    public static ValueTask<string> AllowClientAsync(RuleContext context, CancellationToken ct) => new(AllowClient(context));

    public static ValueTask<string> AllowClientOrLogInAsync(RuleContext context, CancellationToken ct) =>
        new($"{LogIn(context)}; or {AllowClient(context)}");

    public static ValueTask<string> AcceptDomainAsync(RuleContext context, CancellationToken ct) =>
        new($"postern domain add {Quote(context.Recipient?.Domain.Text)} --accept");

    /// <summary>Who has an account may send as the address as well; a line for it gives no rights.</summary>
    public static ValueTask<string> NameRecipientAsync(RuleContext context, CancellationToken ct) =>
        new($"postern account add {Quote(context.Recipient?.Address)}, or a line for it in a file of delivery.forwards");

    public static ValueTask<string> ListDomainAsync(RuleContext context, CancellationToken ct) =>
        new($"postern domain add {SenderDomain(context)}");

    /// <summary>A user of another store gets an account beside it, which adds rights and keeps the login where it is.</summary>
    public static ValueTask<string> GrantSenderAsync(RuleContext context, CancellationToken ct) =>
        GrantAsync(context, context.Sender.Mailbox is { } sender ? [sender] : [], ct);

    /// <summary>The same of other addresses.</summary>
    public static async ValueTask<string> GrantAsync(RuleContext context, IReadOnlyCollection<Mailbox> addresses, CancellationToken ct) =>
        $"postern account {((await context.FindAccountAsync(ct))?.Store is null ? "grant" : "add")} {Login(context)}"
            + string.Concat(addresses.Select(static one => $" --address {Quote(one.Address)}"));

    /// <summary>Of a login by a credential that is there no more.</summary>
    public static ValueTask<string> RestoreCredentialAsync(RuleContext context, CancellationToken ct) =>
        new($"postern credential add {Quote(context.Facts.ProvenBy)}, and log in with what it prints");

    /// <summary>Of an address that only a server that forwarded its mail can have made.</summary>
    public static ValueTask<string> AskForAnotherAddressAsync(RuleContext context, CancellationToken ct) =>
        new("whoever writes there has to use another address: nothing that is changed here makes this one lead anywhere");

    /// <summary>What would permit a recipient whom no rule of the list permits.</summary>
    public static ValueTask<string> WriteRuleAsync(RuleContext context, CancellationToken ct) => new(
        context.Facts.Login is not null
            ? $"write {Rules.PermitAuthenticated.Word} at the end of rules.recipient"
            : $"write {Rules.PermitNetworks.Word} at the end of rules.recipient, and add {Network(context)} to networks: "
                + "it may then relay as anyone");

    /// <summary>The limits of the credential, with the sender among them.</summary>
    public static async ValueTask<string> WidenCredentialAsync(RuleContext context, CancellationToken ct)
    {
        var senders = (await context.FindCredentialAsync(ct))?.Limits.Senders ?? [];
        var all = senders.Add(context.Sender.Address).Select(static one => $" --sender {Quote(one)}");
        return $"postern credential limit {Quote(context.Facts.ProvenBy)} {Number(context)}{string.Concat(all)}";
    }

    /// <summary>Of who is suspended.</summary>
    public static Remedy Resume(Suspension suspension) =>
        (_, _) => new($"postern resume {suspension.Of.Word()} {Quote(suspension.Name)}");

    /// <summary>One word of a POSIX shell command line.</summary>
    public static string Quote(string? word) =>
        word is { Length: > 0 } && !word.AsSpan().ContainsAnyExcept(Plain)
            ? word
            : $"'{word?.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>Of a credential, as it needs no quotes.</summary>
    private static string? Number(RuleContext context) => context.Facts.Credential?.TrimStart('#');

    private static string LogIn(RuleContext context) => context.Facts switch
    {
        { OffersAuth: true } => "log in",
        { OffersAuthAfterTls: true } => "STARTTLS, then log in",
        _ => $"offer AUTH on listener {Quote(context.Facts.Listener)}, and log in",
    };

    private static string AllowClient(RuleContext context) => $"postern network add {Network(context)} --domain {SenderDomain(context)}";

    private static string Login(RuleContext context) => Quote(context.Facts.Login);

    private static string SenderDomain(RuleContext context) => Quote(context.Sender.Mailbox?.Domain.Text);

    public static string Network(RuleContext context) =>
        context.Facts.Client.AddressFamily == AddressFamily.InterNetwork ? $"{context.Facts.Client}/32" : $"{context.Facts.Client}/128";
}
