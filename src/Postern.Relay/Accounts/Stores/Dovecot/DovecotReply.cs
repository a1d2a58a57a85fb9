using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>What an answer of Dovecot's means for a login here. A wrong password is what says so; all else is no answer.</summary>
internal static class DovecotReply
{
    /// <summary>What is said where a yes is about a user who can be none here.</summary>
    public const string NameOfNobody = "it logs in a user by a name that no account can have";

    private const int MaxWords = 200;

    /// <summary>Null for <see cref="DovecotAnswer.Ok"/> of a user who may log in.</summary>
    /// <param name="name">As Dovecot was asked for it: a text that holds it is not told, for it may be a password. Null for none.</param>
    public static LoginAnswer? WhyNot(DovecotAnswer answer, string? name) => answer switch
    {
        DovecotAnswer.Ok { IsShutOut: true, Reason: var reason } =>
            new LoginAnswer.NoMatch($"Dovecot does not let this user log in (nologin){Words(reason, name)}", UserExists: true),
        DovecotAnswer.Ok => null,
        DovecotAnswer.Fail(var refusal, _, var reason) => Of(refusal, Words(reason, name)),
        DovecotAnswer.Broken(var why, _) => new LoginAnswer.Unavailable(why),
        _ => new LoginAnswer.Unavailable("it wants more than a password"),
    };

    private static LoginAnswer Of(DovecotRefusal refusal, string words) => refusal switch
    {
        DovecotRefusal.Wrong => new LoginAnswer.NoMatch($"Dovecot says that the login is wrong{words}"),
        DovecotRefusal.Disabled => new LoginAnswer.NoMatch($"the account is disabled in Dovecot{words}", UserExists: true),
        DovecotRefusal.Expired => new LoginAnswer.NoMatch($"the password has expired in Dovecot{words}", UserExists: true),
        DovecotRefusal.MayNotAct =>
            new LoginAnswer.NoMatch($"Dovecot does not let this user log in as the other one{words}", UserExists: true),
        DovecotRefusal.Temporary =>
            new LoginAnswer.Unavailable($"Dovecot cannot check logins for now, and its own log says why (temp_fail){words}"),
        DovecotRefusal.Malformed => new LoginAnswer.Unavailable($"Dovecot did not understand the question (invalid_base64){words}"),
        _ => new LoginAnswer.Unavailable($"Dovecot says no for a reason that is not known here{words}"),
    };

    private static string Words(string? reason, string? name)
    {
        if (string.IsNullOrEmpty(reason))
            return string.Empty;
        if (!string.IsNullOrEmpty(name) && reason.Contains(name, StringComparison.OrdinalIgnoreCase))
            return ": (the text repeats the name)";
        var shown = string.Create(Math.Min(reason.Length, MaxWords), reason, static (text, from) =>
        {
            for (var i = 0; i < text.Length; i++)
                text[i] = char.IsControl(from[i]) ? '?' : from[i];
        });
        return $": {shown}{(reason.Length > MaxWords ? "…" : string.Empty)}";
    }
}
