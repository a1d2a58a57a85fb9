namespace Postern.Relay.Policy.Rules;

/// <summary>Writes a field before those that the message came with. The rules behind it decide whether the message is taken.</summary>
internal sealed class PrependHeader : IRelayRule
{
    private static readonly ArgumentKind<string> Field = new("field", "a header field such as X-Origin: scanner", TryField);

    private readonly string field = string.Empty;

    public PrependHeader()
    {
    }

    private PrependHeader(string field) => this.field = field;

    public string Name => "prepend_header";

    public string Doc => "pass, and the field is written before those that the message came with";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`prepend_header` in a list of rules: a field before those of the message; the next rule decides whether it is taken.";

    public string Shorthand => "field";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new PrependHeader(arguments.Required("field", Field, "Name, colon and text, in US-ASCII."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass(field) { Effect = new MessageEffect.Prepend(field) });

    /// <summary>A name of RFC 5322 §2.2, and no line longer than §2.1.1 has it.</summary>
    private static bool TryField(string text, out string value)
    {
        value = text;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && text.Length <= 998
            && !text.AsSpan(0, colon).ContainsAnyExceptInRange('!', '~')
            && !text.AsSpan(colon).ContainsAnyExceptInRange(' ', '~')
            && !text.AsSpan(colon + 1).Trim().IsEmpty;
    }
}
