using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>EXPN (RFC 5321 §3.5.2): lists are nobody's business here, so it is known and not available.</summary>
internal static class Expn
{
    public static readonly Verb Row = new(
        "EXPN",
        Phase.Any,
        Needs.Argument | Needs.TlsWhereRequired | Needs.EndOfGroup,
        "EXPN list",
        static (_, _, _) => new(new Step(StandardReply.ExpnNotAvailable)));
}
