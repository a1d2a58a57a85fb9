using System.Globalization;

namespace Postern.Relay.Policy.Own;

/// <summary>An embedder's rule in a list: asked in its time, on a thread that nobody waits for, and closed where it fails.</summary>
internal sealed class OwnRule(IOwnRule rule, RuleStage stage = RuleStage.Recipient) : IRelayRule
{
    private const int MostText = 160;

    public string Name => rule.Name;

    public string Doc => "what a class of the program says";

    public RuleStage Stages => rule.Stages;

    public IRelayRule With(RuleStage at, RuleArguments arguments) => new OwnRule(rule, at);

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        var question = new OwnQuestion(stage, context.Facts, context.Sender, context.Recipient, context.Header, context.IsDryRun);
        using var end = new CancellationTokenSource(rule.Timeout, context.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, ct);
        try
        {
            // Also one that blocks its thread is left when its time is over.
            var asked = Task.Run(async () => await rule.AnswerAsync(question, either.Token), CancellationToken.None);
            return Read(await asked.WaitAsync(either.Token));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return CannotSay(string.Create(CultureInfo.InvariantCulture, $"no answer in {rule.Timeout.TotalSeconds} s"));
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            return CannotSay($"it threw {e.GetType().Name}: {(e.Message.Length > MostText ? e.Message[..MostText] : e.Message)}");
        }
    }

    private RuleAnswer Read(OwnAnswer? answer) => answer switch
    {
        OwnAnswer.Pass => new RuleAnswer.Pass(answer.Why),
        OwnAnswer.Permit => new RuleAnswer.Permit(answer.Why),
        OwnAnswer.Redirect(var to, _) => new RuleAnswer.Pass(answer.Why) { Effect = new MessageEffect.Redirect(to) },
        OwnAnswer.Hold => new RuleAnswer.Pass(answer.Why) { Effect = new MessageEffect.Hold(answer.Why) },
        OwnAnswer.Refuse refuse => WhyNot(refuse) is { } problem
            ? CannotSay(problem)
            : new RuleAnswer.Refuse(
                new Refusal(refuse.Code, refuse.Status, refuse.Text),
                refuse.Why,
                (_, _) => new($"what the rule {Name} of this program wants")),
        _ => CannotSay("it answered nothing"),
    };

    private static string? WhyNot(OwnAnswer.Refuse refuse) =>
        refuse.Code is < 400 or > 599 or 421 ? string.Create(CultureInfo.InvariantCulture, $"{refuse.Code} is no code to refuse with")
            : refuse.Status.Class != refuse.Code / 100 ? $"the status {refuse.Status} is of another class than the code"
            : refuse.Text.Length is 0 or > MostText || refuse.Text.Any(static c => c is < ' ' or > '~')
                ? "its text is longer than 160 characters, or not printable US-ASCII"
            : null;

    private RuleAnswer.CannotSay CannotSay(string why) =>
        new($"{Name}: {why}", (_, _) => new($"see why the rule {Name} of this program fails"));
}
