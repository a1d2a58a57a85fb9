using System.Globalization;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Services;

/// <summary>How a rule asks the server of an address whether it takes mail for it.</summary>
/// <param name="Timeout">How long an answer is waited for.</param>
/// <param name="Positive">How long an address counts as known that was.</param>
/// <param name="Negative">How long one counts as unknown that was.</param>
internal sealed record Verification(TimeSpan Timeout, TimeSpan Positive, TimeSpan Negative, OwnReply Reply)
{
    /// <summary>Of a rule as it is before it stands in a list.</summary>
    public static Verification None { get; } = new(TimeSpan.FromSeconds(6), TimeSpan.FromDays(1), TimeSpan.FromHours(1), OwnReply.None);

    /// <param name="of">The reply that the entry may word otherwise.</param>
    public static Verification Read(RuleArguments arguments, Refusal of) => new(
        arguments.Value("timeout", ArgumentKinds.Wait, None.Timeout, "6s", "How long an answer is waited for. At most 60s."),
        arguments.Value("positive_ttl", ArgumentKinds.Age, None.Positive, "1d", "How long an address counts as known that was."),
        arguments.Value("negative_ttl", ArgumentKinds.Age, None.Negative, "1h", "How long an address counts as unknown that was."),
        OwnReply.Read(arguments, of));

    /// <param name="refusal">The reply where its server refuses it for good, with the address in it.</param>
    public async ValueTask<RuleAnswer> AskAsync(RuleContext context, Mailbox address, Refusal refusal, CancellationToken ct)
    {
        if (context.Services.Recipients is not { } recipients)
            return new RuleAnswer.CannotSay("no server can be asked here");
        if (recipients.Remembered(address, Positive, Negative) is { } remembered)
            return Of(remembered, address, refusal, $"as it was said before: {remembered.Saw}");
        if (context.IsDryRun)
            return new RuleAnswer.Pass($"the server of {address.Domain} is not asked in advance");
        var begun = context.Clock.GetTimestamp();
        ProbeAnswer answer;
        try
        {
            using var end = new CancellationTokenSource(Timeout, context.Clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, ct);
            answer = await recipients.AskAsync(address, either.Token);
        }
        catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            answer = new ProbeAnswer.Unavailable($"the server of {address.Domain} does not answer in time");
        }

        var took = context.Clock.GetElapsedTime(begun).TotalMilliseconds;
        return Of(answer, address, refusal, string.Create(CultureInfo.InvariantCulture, $"{answer.Saw} (after {took:0} ms)"));
    }

    private RuleAnswer Of(ProbeAnswer answer, Mailbox address, Refusal refusal, string saw) => answer switch
    {
        ProbeAnswer.Known => new RuleAnswer.Pass(saw),
        ProbeAnswer.Unknown => new RuleAnswer.Refuse(
            Reply.Of(refusal),
            saw,
            (_, _) => new($"have the server of {address.Domain} take mail for {Remedies.Quote(address.Address)}")),
        _ => new RuleAnswer.CannotSay(
            saw, (_, _) => new($"see that the server of {address.Domain} answers, or write on_error: pass")),
    };
}
