using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Gives the envelope another sender, who hears of failures, as devices write there what their maker thought of: one that never changes, or
/// one that the login may have where it names another. The rules behind it still judge the one that the client named.
/// </summary>
internal sealed class RewriteSender : IRelayRule
{
    public const string Word = "rewrite_sender";

    private readonly Mailbox? address;

    public RewriteSender()
    {
    }

    private RewriteSender(Mailbox? address) => this.address = address;

    public string Name => Word;

    public string Doc =>
        "pass; where the account of a login may not send as the sender of the envelope, that becomes an address of its own. "
            + "`{ rewrite_sender: scanner@example.org }`: always this address, whoever sends. A null sender stays. Refuses (550, 553) a "
            + "login that is gone, disabled, or without such an address";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`rewrite_sender` in a list of rules: another sender of the envelope; the rules behind it still judge the one that the client "
            + "named.";

    public string Shorthand => "address";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RewriteSender(
            arguments.Value("address", ArgumentKinds.AsciiAddressOrNone, null, "an address of the account's", "Who hears of failures."));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (address is not null)
            return Becomes(address, $"the sender becomes {address}");
        if (context.Facts.Login is not { } login)
            return new RuleAnswer.Pass("not logged in");
        if (context.Sender.Mailbox is not { } sender)
            return new RuleAnswer.Pass("the null sender stays");
        if (await context.FindAccountAsync(ct) is not { Enabled: true } account)
            return new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {login} is not there any more", Remedies.RestoreAccountAsync);
        if (account.MaySendAs(sender))
            return new RuleAnswer.Pass($"account {account.Name} may send as {sender}");
        return new Submitter(login, account, sender, IsUtf8: false).Address() is { } own
            ? Becomes(Mailbox.Parse(own), $"the sender becomes {own}: account {account.Name} may not send as {sender}")
            : new RuleAnswer.Refuse(
                Refusals.NotOwned(context),
                $"account {account.Name} has no address, or several and the sender is none of them: nobody knows what it should be",
                Remedies.GrantSenderAsync);
    }

    private static RuleAnswer.Pass Becomes(Mailbox other, string saw) => new(saw) { Effect = new MessageEffect.Sender(other) };
}
