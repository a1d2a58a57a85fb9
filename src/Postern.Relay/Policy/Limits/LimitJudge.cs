using System.Globalization;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Limits;

/// <summary>
/// Holds what comes to the limits of the configuration, whatever the lists of rules say: asked when a list has let the question through, so
/// that nothing is counted of what is refused.
/// </summary>
internal static class LimitJudge
{
    /// <summary>The name under which limits decide in the chain of a decision; no rule is called so.</summary>
    public const string Word = "limits";

    private const int TooBig = 552;

    /// <summary>At MAIL, or for the recipient of the question.</summary>
    /// <param name="counts">False in a dry run: what is used is told then, and nothing is counted.</param>
    /// <returns>Null where there is nothing to say.</returns>
    public static ValueTask<RuleAnswer?> AskAsync(RuleContext context, RuleStage stage, bool counts, CancellationToken ct)
    {
        var table = context.Options.Limits;
        if (table.IsEmpty || stage is not (RuleStage.Sender or RuleStage.Recipient))
            return default;
        if (context.Counters.Windows.Lost is { } lost && table.DefersIfLost)
            return new(new RuleAnswer.Refuse(
                Refusals.Temporary,
                $"{lost}; limits.if_lost is defer",
                static (_, _) => new("take the damaged file away and restart; or limits: { if_lost: anew }")));
        var claims = LimitClaims.Of(table, stage, context);
        return claims.Length == 0 ? default
            : counts ? CountAsync(context, stage, claims, ct)
            : LookAsync(context, stage, claims, ct);
    }

    /// <summary>For a whole message of so many octets, before it is stored.</summary>
    /// <param name="isNamed">Whose tenant it is only its header says: its recipients count for it now.</param>
    public static ValueTask<RuleAnswer?> AskAsync(
        RuleContext context, IReadOnlyList<Mailbox> recipients, long octets, bool isNamed, CancellationToken ct)
    {
        var claims = LimitClaims.OfMessage(context.Options.Limits, context, recipients, octets, isNamed);
        return claims.Length == 0 ? default : CountAsync(context, RuleStage.Message, claims, ct);
    }

    /// <summary>Counts a recipient that does not exist, for all whose use it is.</summary>
    public static ValueTask AddFailureAsync(
        LimitTable table, EnvelopeFacts facts, ReversePath sender, Mailbox recipient, ICounters counters, CancellationToken ct)
    {
        var claims = LimitClaims.OfFailure(table, facts, sender, recipient);
        return claims.Length == 0 ? default : counters.Windows.AddAsync(claims, ct);
    }

    /// <summary>The limits that refuse the question now, each with the command that would raise it.</summary>
    public static async ValueTask<List<(LimitName Limit, string Raise)>> OverAsync(RuleContext context, CancellationToken ct)
    {
        var over = new List<(LimitName, string)>();
        RuleStage[] stages = context.Recipient is null ? [RuleStage.Sender] : [RuleStage.Sender, RuleStage.Recipient];
        foreach (var stage in stages)
        {
            foreach (var claim in LimitClaims.Of(context.Options.Limits, stage, context))
            {
                var name = new LimitName(claim.Of, claim.What, claim.Limit.Window);
                if (!over.Exists(one => one.Item1 == name)
                    && await context.Counters.Windows.AskAsync(new[] { claim }, takes: false, ct) is { Fits: false } answer)
                    over.Add((name, RaiseCommand(claim, answer)));
            }
        }

        return over;
    }

    private static async ValueTask<RuleAnswer?> CountAsync(
        RuleContext context, RuleStage stage, WindowClaim[] claims, CancellationToken ct)
    {
        WindowAnswer answer;
        try
        {
            var asked = context.Counters.Windows.AskAsync(claims, takes: true, ct);
            answer = asked.IsCompletedSuccessfully
                ? await asked
                : await asked.AsTask().WaitAsync(context.Options.Patience, context.Clock, ct);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            return new RuleAnswer.Refuse(Refusals.Temporary, $"what is used cannot be seen: {e.Message}");
        }

        if (!answer.Fits)
        {
            Tell(context, claims[answer.Refused], answer, LimitState.Exceeded);
            return Refuse(context, stage, claims[answer.Refused], answer);
        }

        if (answer.Warned < 0)
            return null;
        Tell(context, claims[answer.Warned], answer, LimitState.Warned);
        return new RuleAnswer.Pass($"{Saw(claims[answer.Warned], answer)}: the soft limit is reached");
    }

    private static async ValueTask<RuleAnswer?> LookAsync(
        RuleContext context, RuleStage stage, WindowClaim[] claims, CancellationToken ct)
    {
        var whole = await context.Counters.Windows.AskAsync(claims, takes: false, ct);
        if (!whole.IsKnown)
            return new RuleAnswer.Pass("how much is used of limits is unknown: no server was asked");
        if (!whole.Fits)
            return Refuse(context, stage, claims[whole.Refused], whole);
        var text = new StringBuilder();
        foreach (var claim in claims)
        {
            var one = await context.Counters.Windows.AskAsync(new[] { claim with { WarnAt = 0 } }, takes: false, ct);
            text.Append(text.Length > 0 ? "; " : string.Empty).Append(Saw(claim, one));
        }

        return new RuleAnswer.Pass(text.ToString());
    }

    private static RuleAnswer.Refuse Refuse(RuleContext context, RuleStage stage, in WindowClaim claim, in WindowAnswer answer)
    {
        var scope = context.Options.Limits.Of(claim.Of.Scope)!;
        var limit = $"{answer.Limit.ToString(claim.What)} {claim.What.Noun()} of this {claim.Of.Scope.Whose()}";
        var again = answer.Wait is { } wait && wait > TimeSpan.Zero ? $", try again in {WindowLimit.Wait(wait)}" : ", try again later";
        var whose = stage == RuleStage.Recipient
            ? $"<{context.Recipient}>: Recipient address rejected"
            : $"{context.Sender}: Sender address rejected";
        var refusal = answer.Wait is null
            ? new Refusal(TooBig, new(5, 3, 4), $"{whose}: larger than the limit of {limit}")
            : scope.Rejects
                ? new Refusal(550, new(5, 7, 1), $"{whose}: over the limit of {limit}")
                : new Refusal(450, new(4, 7, 1), $"{whose}: over the limit of {limit}{again}");
        var free = answer.Wait is { } until && until > TimeSpan.Zero ? $", free again in {WindowLimit.Wait(until)}" : string.Empty;
        var raise = RaiseCommand(claim, answer);
        return new RuleAnswer.Refuse(refusal, Saw(claim, answer) + free, (_, _) => new(raise));
    }

    private static string Saw(in WindowClaim claim, in WindowAnswer answer) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{WindowLimit.Amount(answer.Used, claim.What)} of {answer.Limit.ToString(claim.What)} {claim.What.Noun()} used by "
                + $"{claim.Of.Name} ({SectionOf(claim.Of.Scope)}{claim.Of.Scope.Word()}.{claim.What.Word()})");

    private static string? SectionOf(LimitScope scope) => scope == LimitScope.Devices ? null : "limits.";

    /// <summary>Twice as much, and at least what is asked for.</summary>
    private static string RaiseCommand(in WindowClaim claim, in WindowAnswer answer)
    {
        var more = answer.Limit with { Count = Math.Max(answer.Limit.Count * 2, answer.Limit.Count + claim.Cost) };
        var of = claim.Of.Scope == LimitScope.Logins ? string.Empty : $" --of {claim.Of.Scope.Word()}";
        return $"postern limits raise {Remedies.Quote(claim.Of.Name)} {claim.What.Word()} {more.ToString(claim.What)} --for 2h{of}";
    }

    private static void Tell(RuleContext context, in WindowClaim claim, in WindowAnswer answer, LimitState state) =>
        context.News?.Tell(
            new CounterKey($"{claim.Of.Scope.Word()}.{claim.What.Word()}/{WindowLimit.Time(claim.Limit.Window)}", claim.Of.Name),
            state,
            (At: context.Clock.GetUtcNow(), claim.Of, claim.What, answer.Limit, answer.Used, state, context.Facts),
            static about => new LimitEvent(
                about.At, $"{about.Of.Scope.Word()}.{about.What.Word()}", about.state, about.Of.Name)
            {
                Allowed = about.Limit.ToString(about.What),
                Used = about.Used,
                Listener = about.Facts.Listener,
                Client = about.Facts.Client.ToString(),
                User = about.Facts.Login,
                Tenant = about.Facts.Tenant,
                Cause = new AuditCause(
                    AuditKind.Server, about.Facts.Client, about.Facts.Login, "limit", $"{about.Of.Scope.Word()}.{about.What.Word()}"),
            });
}
