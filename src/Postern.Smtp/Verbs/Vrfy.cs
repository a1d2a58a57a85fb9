using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>VRFY (RFC 5321 §3.5.3, §7.3): never tells whether a mailbox exists.</summary>
internal static class Vrfy
{
    public static readonly Verb Row = new("VRFY", Phase.Any, Needs.Argument | Needs.TlsWhereRequired, "VRFY address", static (_, _, _) => new(new Step(StandardReply.CannotVerify)));
}
