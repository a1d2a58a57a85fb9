using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>NOOP (RFC 5321 §4.1.1.9); any argument is ignored.</summary>
internal static class Noop
{
    public static readonly Verb Row = new("NOOP", Phase.Any, Needs.EndOfGroup, "NOOP", static (_, _, _) => new(new Step(StandardReply.Ok)));
}
