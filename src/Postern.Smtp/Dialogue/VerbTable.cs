using System.Collections.Immutable;
using System.Text;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Verbs;

namespace Postern.Smtp.Dialogue;

/// <summary>Every command this server knows. HELP and the state table tests read the same rows.</summary>
internal static class VerbTable
{
    /// <summary>In the order in which HELP lists them.</summary>
    public static ImmutableArray<Verb> All { get; } =
    [
        Ehlo.Row,
        Helo.Row,
        Lhlo.Row,
        StartTls.Row,
        Auth.Row,
        Mail.Row,
        Rcpt.Row,
        Data.Row,
        Bdat.Row,
        Rset.Row,
        Noop.Row,
        Vrfy.Row,
        Expn.Row,
        Etrn.Row,
        XClient.Row,
        XForward.Row,
        Help.Row,
        Quit.Row,
    ];

    /// <summary>Those of one protocol, in the same order.</summary>
    public static IEnumerable<Verb> For(MailProtocol protocol) => All.Where(v => v.Only is null || v.Only == protocol);

    /// <summary>Null also for a verb of the other protocol.</summary>
    public static Verb? Find(ReadOnlySpan<byte> name, MailProtocol protocol) =>
        Find(name) is { } verb && (verb.Only is null || verb.Only == protocol) ? verb : null;

    public static Verb? Find(ReadOnlySpan<byte> name)
    {
        foreach (var verb in All)
        {
            if (Ascii.EqualsIgnoreCase(name, verb.Name))
                return verb;
        }

        return null;
    }

    /// <summary>The reason why this verb cannot be used here and now, or null.</summary>
    public static Step? WhyNot(Verb verb, SmtpSession session, ReadOnlySpan<byte> argument) => verb switch
    {
        { Needs: var needs } when needs.HasFlag(Needs.NothingBehind) && session.HasBufferedInput && session.Capabilities.OffersTls =>
            new Step(StandardReply.InputBehindStartTls, After: After.Close),
        { Needs: var needs } when needs.HasFlag(Needs.TlsWhereRequired) && session.LacksRequiredTls =>
            new Step(StandardReply.StartTlsFirst),
        { In: var phases } when (phases & session.State.Phase) == 0 =>
            new Step(session.State.Phase == Phase.Connected ? session.HelloFirst : StandardReply.BadSequence),
        { Needs: var needs } when needs.HasFlag(Needs.Room) && session.Service.Refusal is { } refusal =>
            new Step(refusal, After: refusal.Code == 421 ? After.Close : After.ReadCommand),
        { Needs: var needs } when needs.HasFlag(Needs.NoArgument) && !argument.IsEmpty => new Step(StandardReply.BadSyntax(verb.Syntax)),
        { Needs: var needs } when needs.HasFlag(Needs.Argument) && argument.IsEmpty => new Step(StandardReply.BadSyntax(verb.Syntax)),
        _ => null,
    };
}
