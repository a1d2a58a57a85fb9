using System.Globalization;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// A question to somebody else, as a rule asks it: it ends in its own time, what was said and how long it took stands in the decision, and
/// no service is asked in a dry run, for it may remember what it is asked (greylisting does).
/// </summary>
/// <param name="Timeout">With all that leads to the answer.</param>
/// <param name="PassesOk">What is permitted over there goes on to the next rule.</param>
/// <param name="Context">Of the entry; sent with the question.</param>
internal sealed record TimedQuestion(RuleStage Stage, TimeSpan Timeout, bool PassesOk, string Context)
{
    /// <summary>The argument that says what OK means.</summary>
    public const string Ok = "ok";

    public const string OkPasses = "pass";

    private static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(2);

    private static readonly ArgumentKind<bool> OkKind = ArgumentKinds.Word(("permit", false), (OkPasses, true));

    /// <summary>Of a rule as it is before it stands in a list.</summary>
    public static TimedQuestion None { get; } = new(RuleStage.Recipient, UsualTimeout, PassesOk: false, string.Empty);

    /// <summary>Reads the arguments that every rule has which asks somebody.</summary>
    public static TimedQuestion Read(RuleStage stage, RuleArguments arguments) => new(
        stage,
        arguments.Value(
            "timeout", ArgumentKinds.Wait, UsualTimeout, "2s", "How long an answer is waited for, with all that leads to it. At most 60s."),
        arguments.Value(
            Ok,
            OkKind,
            fallback: false,
            "`permit`",
            "What its OK means. `permit`: as the rule `permit`, so in `recipient` it relays. `pass`: the next rule decides."),
        arguments.Value(
            "context", ArgumentKinds.Line, string.Empty, "none", "Sent with the question: it tells one entry from another."));

    public async ValueTask<RuleAnswer> AskAsync(
        string who, RuleContext context, Func<CancellationToken, ValueTask<PolicyReply>> ask, CancellationToken ct)
    {
        if (context.IsDryRun)
            return new RuleAnswer.Pass($"{who} is not asked in advance");
        var begun = context.Clock.GetTimestamp();
        using var end = new CancellationTokenSource(Timeout, context.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, ct);
        PolicyReply reply;
        try
        {
            reply = await ask(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            reply = new PolicyReply.Broken("no answer in time");
        }

        var took = string.Create(
            CultureInfo.InvariantCulture, $"{context.Clock.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        return reply switch
        {
            PolicyReply.Action(var said) =>
                PolicyAction.Of(said, $"{who} answered \"{PolicyAction.Shown(said)}\" after {took}", who, context, Stage) switch
                {
                    RuleAnswer.Permit(var saw) when PassesOk => new RuleAnswer.Pass($"{saw}; ok is pass"),
                    var answer => answer,
                },
            PolicyReply.Closed(var why) => CannotSay(why),
            PolicyReply.Broken(var why) => CannotSay(why),
            _ => throw new InvalidOperationException("a new answer"),
        };

        RuleAnswer.CannotSay CannotSay(string why) =>
            new($"{who}: {why} (after {took})", (_, _) => new($"see that the policy service at {who} runs and answers"));
    }
}
