using System.Text;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>HELP (RFC 5321 §4.1.1.8), read from the same table as the dispatcher.</summary>
internal static class Help
{
    public static readonly Verb Row = new("HELP", Phase.Any, Needs.None, "HELP [command]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        if (argument.IsEmpty)
            return new(new Step(new Reply(214, new(2, 0, 0), "Commands: " + string.Join(' ', VerbTable.For(session.Listener.Options.Protocol).Select(static v => v.Name)))));
        return VerbTable.Find(argument.Span, session.Listener.Options.Protocol) is { } verb
            ? new(new Step(new Reply(214, new(2, 0, 0), $"Syntax: {verb.Syntax}")))
            : new(new Step(new Reply(504, new(5, 5, 4), $"No help on {Encoding.ASCII.GetString(argument.Span[..Math.Min(argument.Length, 20)])}")));
    }
}
