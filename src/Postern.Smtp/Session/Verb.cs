using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>One row of the verb table: all facts about a command.</summary>
/// <param name="Name">Upper case.</param>
/// <param name="In">The phases in which it is legal.</param>
/// <param name="Needs">What else it needs.</param>
/// <param name="Syntax">For HELP and for the reply to a syntax error.</param>
/// <param name="HandleAsync">Decides; called only when phase and needs are met. The argument is valid until the next read.</param>
internal sealed record Verb(
    string Name, Phase In, Needs Needs, string Syntax, Func<SmtpSession, ReadOnlyMemory<byte>, CancellationToken, ValueTask<Step>> HandleAsync)
{
    /// <summary>The protocol it belongs to; null: to both. On a listener of the other one it is unknown.</summary>
    public MailProtocol? Only { get; init; }
}
