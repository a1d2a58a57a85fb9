using Postern.Relay.Policy.Access;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Looks the client, or what it says, up in a table (<see cref="AccessTable"/>) and does what stands there; where nothing does, the next
/// rule decides.
/// </summary>
internal sealed class CheckAccess : IRelayRule
{
    private static readonly ArgumentKind<AccessSubject> By = ArgumentKinds.Word(
        ("client", AccessSubject.Client),
        ("helo", AccessSubject.Helo),
        ("sender", AccessSubject.Sender),
        ("recipient", AccessSubject.Recipient),
        ("login", AccessSubject.Login),
        ("tenant", AccessSubject.Tenant));

    private readonly RuleStage stage;
    private readonly AccessSubject subject;
    private readonly string path = string.Empty;

    public CheckAccess()
    {
    }

    private CheckAccess(RuleStage stage, AccessSubject subject, string path) =>
        (this.stage, this.subject, this.path) = (stage, subject, path);

    public string Name => "check_access";

    public string Doc =>
        "what a table says of the client, its name, the sender, the recipient, the login or the tenant: `permit`, `reject`, `defer`, "
            + "a code of its own, `hold`, `redirect`, `bcc`, `prepend`, `list`, or `dunno`; nothing there: pass";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc => "`check_access` in a list of rules: what a file says of one part of the question; see rules.md.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new CheckAccess(
        stage,
        arguments.Required("by", By, "What is looked up."),
        arguments.Required("table", ArgumentKinds.Path, "The file, `pattern action` in each line; read again when it changes."));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        var table = await context.Tables.FindAsync(path, subject, ct);
        var (facts, pattern) = (context.Facts, string.Empty);
        var key = subject switch
        {
            AccessSubject.Client => facts.Client.ToString(),
            AccessSubject.Helo => facts.Helo,
            AccessSubject.Sender => context.Sender.Mailbox?.Address ?? AccessTable.NullSender,
            AccessSubject.Recipient => context.Recipient?.Address,
            AccessSubject.Login => facts.Login,
            _ => facts.Tenant,
        };
        if (key is null)
            return new RuleAnswer.Pass("there is nothing to look up");
        var action = subject == AccessSubject.Client ? table.Find(facts.Client, out pattern) : table.Find(key, out pattern);
        return action switch
        {
            null => new RuleAnswer.Pass($"{key} is not in {path}"),
            AccessAction.Permit => new RuleAnswer.Permit($"{key} is in {path} as {pattern}"),
            AccessAction.Refuse when context.IsWaived(path, pattern) => new RuleAnswer.Pass($"{key} is in {path} as {pattern}: dunno"),
            AccessAction.Refuse(var refusal) => Refuse(refusal, key, pattern),
            AccessAction.Act(var effect) => new RuleAnswer.Pass($"{key} is in {path} as {pattern}") { Effect = effect },
            AccessAction.Ask(var list) when context.HasList(list, stage) => new RuleAnswer.Ask(list, $"{key} is in {path} as {pattern}"),
            AccessAction.Ask(var list) => throw new IOException($"{path} names the list {list}, which cannot be asked here"),
            _ => new RuleAnswer.Pass($"{key} is in {path} as {pattern}: dunno"),
        };
    }

    private RuleAnswer.Refuse Refuse(Refusal refusal, string key, string pattern) =>
        new(refusal, $"{key} is in {path} as {pattern}", (_, _) => new($"write dunno behind {pattern} in {path}"))
        {
            Mend = world => world.Waived.Add((path, pattern)),
        };
}
