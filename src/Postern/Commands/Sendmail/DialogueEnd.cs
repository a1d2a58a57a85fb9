using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Commands.Sendmail;

/// <summary>
/// How an SMTP dialogue on standard input ended. Whoever plays one from a file reads no replies, and learns by the exit code that a message
/// was not taken because its end never came.
/// </summary>
internal sealed class DialogueEnd : ISmtpEvents
{
    private const string Data = "DATA";

    /// <summary>DATA was the last command, and was neither refused nor followed by the end of its content.</summary>
    public bool IsCutOff { get; private set; }

    public void OnCommand(SessionState session, string verb) => IsCutOff = verb == Data;

    public void OnRefused(SessionState session, string verb, Reply reply) => IsCutOff = IsCutOff && verb != Data;

    public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome) => IsCutOff = false;
}
