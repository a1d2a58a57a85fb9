using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>QUIT (RFC 5321 §4.1.1.10).</summary>
internal static class Quit
{
    public static readonly Verb Row = new(
        "QUIT", Phase.Any, Needs.NoArgument, "QUIT", static (_, _, _) => new(new Step(StandardReply.Bye, After: After.Close)));
}
