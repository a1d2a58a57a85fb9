using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Explaining;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses what goes over a limit for each login, or for each client network: messages at MAIL or when their header is known, recipients at
/// RCPT. What was used flows back evenly, and outlives a restart.
/// </summary>
internal sealed class RejectOverLimit : IRelayRule
{
    private static readonly ArgumentKind<bool> Whose = ArgumentKinds.Word(("login", false), ("client", true));

    private readonly RateLimit limit;
    private readonly bool isByClient;
    private readonly string what = "messages";

    public RejectOverLimit()
    {
    }

    private RejectOverLimit(string what, RateLimit limit, bool isByClient)
    {
        this.what = what;
        this.limit = limit;
        this.isByClient = isByClient;
    }

    public string Name => "reject_over_limit";

    public string Doc =>
        "refuse (450): more messages, or recipients, in a time than the login or the client's network may send; `{ "
            + "messages: 500/1h }`, `{ recipients: 2000/1d, per: client }`";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient | RuleStage.Message;

    public string ArgumentsDoc =>
        "`reject_over_limit` in a list of rules: 450 over a limit. What was used flows back evenly over the time, and outlives a restart. "
            + "Only what the whole list lets through is counted.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments)
    {
        var byClient = arguments.Value(
            "per",
            Whose,
            fallback: false,
            "`login`",
            "For each account that logs in, whomever it acts for; or for each client's network (/24, /64).");
        return stage == RuleStage.Recipient
            ? new RejectOverLimit(
                "recipients",
                arguments.Required(
                    "recipients", ArgumentKinds.Rate, "At the stage recipient: how many recipients in a time, such as `2000/1d`."),
                byClient)
            : new RejectOverLimit(
                "messages",
                arguments.Required(
                    "messages",
                    ArgumentKinds.Rate,
                    "At the stages sender and message: how many messages in a time, such as `500/1h`. "
                        + "At message those that are refused before are not counted."),
                byClient);
    }

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if ((isByClient ? ClientNetwork.Of(context.Facts.Client.ToString())[0].ToString() : context.Facts.ProvenBy
            ?? context.Facts.Login) is not { } whose)
            return new RuleAnswer.Pass("not logged in");
        var key = new CounterKey(isByClient ? $"client_{what}" : $"login_{what}", whose);
        var level = await context.Counters.PeekAsync(key, limit, cost: 1, ct);
        if (!level.IsKnown)
            return new RuleAnswer.Pass($"limit of {limit} {what}; how many were used is unknown: no server was asked")
            {
                Lacks = Lack.Counter,
            };
        return level.Fits
            ? new RuleAnswer.Pass(Saw(context, level)) { Charge = new Charge(key, limit, Cost: 1, over => Over(context, key, over)) }
            : Over(context, key, level);
    }

    private RuleAnswer.Refuse Over(RuleContext context, CounterKey key, CounterLevel level)
    {
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Ceiling(level.Wait.TotalSeconds))} s");
        return new RuleAnswer.Refuse(
            Refusals.OverLimit(context, $"over the limit of {limit} {what}, try again in {seconds}"),
            Saw(context, level),
            (_, _) => new($"wait {seconds}, when one more fits; for more at once raise {what} of {Name} in rules"))
        {
            Limit = new UsedUp(key, limit, level),
            Mend = world => world.Waited = level.Wait > world.Waited ? level.Wait : world.Waited,
        };
    }

    private string Saw(RuleContext context, CounterLevel level) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{level.Used} of {limit} {what} used by "
                + $"{(isByClient ? $"the network of {context.Facts.Client}" : context.Facts.ProvenBy ?? context.Facts.Login)}");
}
