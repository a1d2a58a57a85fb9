using System.Collections.Immutable;
using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Verbs;

/// <summary>HELP (RFC 5321 §4.1.1.8), read from the same tables as the dispatcher and the parameter reader.</summary>
internal static class Help
{
    public static readonly Verb Row = new("HELP", Phase.Any, Needs.None, "HELP [command]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        var protocol = session.Service.Options.Protocol;
        return new(
            new Step(
                argument.IsEmpty ? Commands(protocol)
                    : VerbTable.Find(argument.Span, protocol) is { } verb ? About(verb, session)
                    : Unknown(argument.Span)));
    }

    private static Reply Commands(MailProtocol protocol) =>
        new(214, new(2, 0, 0), "Commands: " + string.Join(' ', VerbTable.For(protocol).Select(static v => v.Name)));

    private static Reply About(Verb verb, SmtpSession session)
    {
        var parameters = !session.State.IsExtended ? string.Empty
            : verb == Mail.Row ? Syntaxes(session.Capabilities.MailParameters)
            : verb == Rcpt.Row ? Syntaxes(session.Capabilities.RecipientParameters)
            : string.Empty;
        return parameters.Length == 0
            ? new Reply(214, new(2, 0, 0), $"Syntax: {verb.Syntax}")
            : new Reply(214, new(2, 0, 0), $"Syntax: {verb.Syntax}", $"Parameters: {parameters}");
    }

    private static string Syntaxes<T>(ImmutableArray<Parameter<T>> parameters) => string.Join(' ', parameters.Select(static p => p.Syntax));

    private static Reply Unknown(ReadOnlySpan<byte> name) =>
        new(504, new(5, 5, 4), $"No help on {Encoding.ASCII.GetString(name[..Math.Min(name.Length, 20)])}");
}
