using Postern.Smtp.Replies;

namespace Postern.Relay.Policy;

/// <summary>The arguments by which an operator says a refusal in own words: <c>text</c>, <c>code</c> and <c>status</c>.</summary>
internal sealed record OwnReply(string Text, int? Code, EnhancedStatus? Status)
{
    public static OwnReply None { get; } = new(Text: string.Empty, Code: null, Status: null);

    private static ArgumentKind<EnhancedStatus?> StatusKind { get; } = new(
        "status", "an enhanced status code such as 5.7.1", static (string text, out EnhancedStatus? value) =>
        {
            value = EnhancedStatus.Parse(text);
            return value is { Class: 4 or 5 };
        });

    /// <param name="of">The reply that they change.</param>
    public static OwnReply Read(RuleArguments arguments, Refusal of)
    {
        var text = arguments.Value(
            "text", ArgumentKinds.Line, fallback: string.Empty, $"`{of.Text}`", "What the client is told, in English.");
        var code = arguments.Value(
            "code",
            ArgumentKinds.RefusalCode,
            fallback: null,
            $"`{of.Code}`",
            "The reply code: 4xx has the client come again, 5xx does not.");
        var status = arguments.Value(
            "status",
            StatusKind,
            fallback: null,
            $"`{of.Status}`",
            "The enhanced status code (RFC 3463); its class is that of the reply code.");
        return new OwnReply(text, code, status);
    }

    /// <summary>The reply as the operator wants it. Class of code and status are the same, whichever of them was written.</summary>
    public Refusal Of(Refusal usual)
    {
        if (this == None)
            return usual;
        var code = Code ?? (Status is { } wanted ? WithClass(usual.Code, wanted.Class) : usual.Code);
        var status = Status ?? usual.Status;
        return new Refusal(code, status with { Class = code / 100 }, Text.Length == 0 ? usual.Text : Text);
    }

    private static int WithClass(int code, int first) => code / 100 == first ? code : first == 4 ? 450 : 550;
}
