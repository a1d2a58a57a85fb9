using System.Globalization;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Accounts.Stores.Upstream;

/// <summary>
/// What the answer of a mail server to AUTH means for a login here (RFC 4954 §6, RFC 5248). A wrong password is what says so;
/// all else is no answer.
/// </summary>
internal static class LoginReply
{
    private const int WrongCredentials = 535;
    private const int MaxWords = 200;


    /// <param name="name">As the server was asked for it: a text that holds it is not told, for it may be a password.</param>
    public static LoginAnswer ToAnswer(ClientLoginAnswer answer, string user, string name) => answer switch
    {
        ClientLoginAnswer.Accepted => new LoginAnswer.Match(user),
        ClientLoginAnswer.Refused(_, { Code: 525 } or { Code: >= 500, Status: { Class: 5, Subject: 7, Detail: 13 } }) refused =>
            new LoginAnswer.NoMatch($"the account is disabled there: {Words(refused.Reply, name)}", UserExists: true),
        ClientLoginAnswer.Refused(_, { Code: WrongCredentials } or { Code: >= 500, Status: { Class: 5, Subject: 7, Detail: 8 } }) refused =>
            new LoginAnswer.NoMatch($"it says: {Words(refused.Reply, name)}"),
        ClientLoginAnswer.Refused(var mechanism, var reply) =>
            new LoginAnswer.Unavailable($"{Meaning(reply, mechanism)}: {Words(reply, name)}"),
        ClientLoginAnswer.Unsuitable(var reason) => new LoginAnswer.Unavailable(reason),
        ClientLoginAnswer.Abandoned(var mechanism, var reason) => new LoginAnswer.Unavailable($"AUTH {mechanism}: {reason}"),
        ClientLoginAnswer.Broken(var mechanism, _, var detail) => new LoginAnswer.Unavailable($"AUTH {mechanism}: {detail}"),
        _ => new LoginAnswer.Unavailable("it gives no answer that decides"),
    };

    /// <summary>It says something of the session, and not of the login: another session may fare better.</summary>
    public static bool IsOfTheSession(ClientLoginAnswer answer) =>
        answer is ClientLoginAnswer.Broken { Fault: ClientFault.ConnectionLost } or ClientLoginAnswer.Refused(_, { Code: 421 });

    private static string Meaning(Reply reply, string mechanism) => reply.Code switch
    {
        421 => "it leaves",
        432 => $"it wants the password once by PLAIN, before {mechanism} can be used ('mechanism: plain')",
        454 => "it cannot check logins for now",
        >= 400 and < 500 => "it cannot answer for now",
        500 or 502 or 503 => "it takes no AUTH here",
        504 => $"it does not know {mechanism}, which it offers",
        530 => "it wants something else before AUTH",
        534 => $"it takes {mechanism} for too weak, or wants another kind of password for this user",
        538 => $"it wants TLS before {mechanism}",
        _ => "it neither takes the login nor says that it is wrong",
    };

    private static string Words(Reply reply, string name)
    {
        var text = string.Join(" / ", reply.Lines);
        if (text.Contains(name, StringComparison.OrdinalIgnoreCase))
            text = "(the text repeats the name)";
        if (text.Length > MaxWords)
            text = text[..MaxWords] + "…";
        return string.Create(
            CultureInfo.InvariantCulture, $"{reply.Code} {reply.Status}{(reply.Status is null ? string.Empty : " ")}{text}");
    }
}
