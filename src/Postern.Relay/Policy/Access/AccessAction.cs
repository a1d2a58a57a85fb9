using System.Globalization;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// What stands behind a pattern in an access table, with Postfix's words where it has them (access(5)): <c>OK</c> or <c>permit</c>,
/// <c>reject [text]</c>, <c>defer [text]</c>, a reply code with an enhanced code and text where wanted, <c>hold [reason]</c>,
/// <c>redirect address</c>, <c>bcc address</c>, <c>prepend field</c>, <c>dunno</c> or <c>pass</c>, <c>list name</c>.
/// </summary>
internal abstract record AccessAction
{
    private const string TooLong = "what stands behind the action is longer than 160 characters, or not printable US-ASCII";

    private AccessAction()
    {
    }

    public sealed record Permit : AccessAction;

    public sealed record Pass : AccessAction;

    public sealed record Refuse(Refusal Refusal) : AccessAction;

    public sealed record Act(MessageEffect Effect) : AccessAction;

    public sealed record Ask(string List) : AccessAction;

    /// <summary>Null where it reads as none; what is wrong is in <paramref name="problem"/> then.</summary>
    public static AccessAction? Read(string text, out string problem)
    {
        var (word, rest) = Split(text);
        if (rest.Length <= ArgumentKinds.MostOfLine)
            return Read(word, rest, out problem);
        return Wrong(out problem, TooLong);
    }

    /// <summary>The word of an action, and what stands behind it.</summary>
    public static (string Word, string Text) Split(string text)
    {
        var space = text.IndexOfAny([' ', '\t']);
        return space < 0 ? (text, string.Empty) : (text[..space], text[space..].Trim(' ', '\t'));
    }

    /// <summary>The same of somebody else's words, which may be longer.</summary>
    public static AccessAction? Read(string word, string rest, out string problem)
    {
        problem = string.Empty;
        if (rest.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return Wrong(out problem, TooLong);
        switch (word.ToUpperInvariant())
        {
            case "OK" or "PERMIT" or "RELAY":
                return new Permit();
            case "DUNNO" or "PASS":
                return new Pass();
            case "REJECT":
                return new Refuse(Said(Refusals.Refused, rest));
            case "DEFER":
                return new Refuse(Said(Refusals.Deferred, rest));
            case "HOLD":
                return new Act(new MessageEffect.Hold(rest.Length == 0 ? "the access table says so" : rest));
            case "PREPEND" when ArgumentKinds.HeaderField.Read(rest, out var field):
                return new Act(new MessageEffect.Prepend(field));
            case "REDIRECT" when Mailbox.TryParse(rest, out var to):
                return new Act(new MessageEffect.Redirect(to));
            case "BCC" when Mailbox.TryParse(rest, out var to):
                return new Act(new MessageEffect.Copy(to));
            case "LIST" when rest.Length > 0:
                return new Ask(rest);
            case "REDIRECT" or "BCC":
                return Wrong(out problem, $"{word} needs an address");
            case "PREPEND":
                return Wrong(out problem, "PREPEND needs a header field such as X-Origin: scanner");
            case "LIST":
                return Wrong(out problem, "LIST needs the name of a list below rules.classes");
            default:
                return ReplyOf(word, rest) is { } refusal ? new Refuse(refusal) : Wrong(out problem, $"no action is called {word}");
        }
    }

    /// <summary>A refusal in these words, which may begin with an enhanced code; none: in its own.</summary>
    public static Refusal Said(Refusal usual, string text)
    {
        var (status, words) = StatusOf(text);
        return usual with
        {
            Status = status is { } own ? own with { Class = usual.Code / 100 } : usual.Status,
            Text = words.Length == 0 ? usual.Text : words,
        };
    }

    private static Refusal? ReplyOf(string word, string rest) =>
        word.Length == 3
        && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
        && code is >= 400 and <= 599 and not 421
            ? Said(code < 500 ? Refusals.Deferred with { Code = code } : Refusals.Refused with { Code = code }, rest)
            : null;

    /// <summary>An enhanced code at the beginning, where there is one.</summary>
    private static (EnhancedStatus? Status, string Words) StatusOf(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var first = space < 0 ? text : text[..space];
        return EnhancedStatus.Parse(first) is { Class: 4 or 5 } status
            ? (status, space < 0 ? string.Empty : text[(space + 1)..].Trim())
            : (null, text);
    }

    private static AccessAction? Wrong(out string problem, string what)
    {
        problem = what;
        return null;
    }
}
