using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Gives a message an author that its login may be, where it names another, or one that never changes: what its From said becomes
/// Reply-To. For devices and programs that cannot be told what to write there.
/// </summary>
internal sealed class RewriteHeaderFrom : IRelayRule
{
    public const string Word = "rewrite_header_from";

    private readonly Mailbox? address;

    public RewriteHeaderFrom()
    {
    }

    private RewriteHeaderFrom(Mailbox? address) => this.address = address;

    public string Name => Word;

    public string Doc =>
        "pass; where the account of a login may not send as From says, From becomes an address of its own (the sender of the envelope, "
            + "if it is one), and what From said becomes Reply-To unless there is one. "
            + "`{ rewrite_header_from: scanner@example.org }`: always this address, whoever sends. Refuses (550) a login that is gone, "
            + "disabled, or without such an address";

    public RuleStage Stages => RuleStage.Message;

    public string ArgumentsDoc =>
        "`rewrite_header_from` in a list of rules: who the author of a message becomes; the next rule decides whether it is taken.";

    public string Shorthand => "address";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RewriteHeaderFrom(
            arguments.Value(
                "address", ArgumentKinds.AsciiAddressOrNone, null, "an address of the account's", "The author of every message."));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (address is not null)
            return new RuleAnswer.Pass($"From becomes {address}") { Effect = new MessageEffect.Author(address) };
        if (context.Facts.Login is not { } login)
            return new RuleAnswer.Pass("not logged in");
        if (context.Header is not { } header)
            return new RuleAnswer.Pass("the header is not known");
        if (await context.FindAccountAsync(ct) is not { Enabled: true } account)
            return new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {login} is not there any more", Remedies.RestoreAccountAsync);
        if (header.HasForeignAuthor is false)
            return new RuleAnswer.Pass(header.From is null ? "no From field" : $"account {account.Name} may send as what From says");
        var own = new Submitter(login, account, context.Sender.Mailbox, IsUtf8: false).Address();
        return own is null
            ? new RuleAnswer.Refuse(
                Refusals.AuthorNotOwned(context, "From", author: null),
                $"account {account.Name} has no address, or several and the sender is none of them: nobody knows what From should say",
                Remedies.GrantSenderAsync)
            : new RuleAnswer.Pass($"From becomes {own}: account {account.Name} may not send as it says: {header.From}")
            {
                Effect = new MessageEffect.Author(Mailbox.Parse(own)),
            };
    }
}
