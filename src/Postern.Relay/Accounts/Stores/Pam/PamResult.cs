using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Pam;

/// <summary>What the modules of a service have come to.</summary>
/// <param name="IsOfAccount">The password was right, and it is the account rules that speak.</param>
/// <param name="HasAskedElse">A module has asked for something that is not the password.</param>
internal readonly record struct PamResult(PamCode Code, bool IsOfAccount, bool HasAskedElse)
{
    /// <summary>As a login is told. What a module could not find out is never a wrong password.</summary>
    public LoginAnswer ToAnswer(string user) => Code switch
    {
        PamCode.Success => IsOfAccount ? new LoginAnswer.Match(user) : Unavailable("it has not looked at the account"),
        _ when HasAskedElse =>
            Unavailable("a module asks for something that is not the password, such as a code, which nobody can answer here: "
                + "take it out of the service's file"),
        PamCode.AccountExpired => Disabled("the account has expired"),
        PamCode.NewTokenRequired or PamCode.TokenExpired or PamCode.CredentialsExpired =>
            Disabled("the password has expired, and a new one must be set"),
        PamCode.PermissionDenied => Disabled("the user may not log in here"),
        PamCode.MaxTries => new LoginAnswer.NoMatch("PAM takes no more tries for this user (PAM_MAXTRIES)"),
        PamCode.AuthenticationError or PamCode.UserUnknown when IsOfAccount => Disabled("the account rules refuse the user"),
        PamCode.AuthenticationError => new LoginAnswer.NoMatch("wrong password, or there is no such user (PAM_AUTH_ERR)"),
        PamCode.UserUnknown => new LoginAnswer.NoMatch("there is no such user (PAM_USER_UNKNOWN)"),
        PamCode.CredentialsInsufficient => Unavailable("this server's own user may not read what the modules need"),
        PamCode.InformationUnavailable => Unavailable("a module cannot reach what it looks users up in"),
        PamCode.OpenFailed or PamCode.SymbolMissing or PamCode.ModuleUnknown =>
            Unavailable("a module of the service is not there or cannot be loaded"),
        PamCode.SystemError or PamCode.Abort or PamCode.ServiceError => Unavailable("a module has failed; the system's log says why"),
        PamCode.ConversationFailed => Unavailable("a module did not get what it asked for"),
        _ => Unavailable("it gives no answer that decides"),
    };

    private string Name => Code switch
    {
        PamCode.OpenFailed => "PAM_OPEN_ERR",
        PamCode.SymbolMissing => "PAM_SYMBOL_ERR",
        PamCode.ServiceError => "PAM_SERVICE_ERR",
        PamCode.SystemError => "PAM_SYSTEM_ERR",
        PamCode.PermissionDenied => "PAM_PERM_DENIED",
        PamCode.AuthenticationError => "PAM_AUTH_ERR",
        PamCode.CredentialsInsufficient => "PAM_CRED_INSUFFICIENT",
        PamCode.InformationUnavailable => "PAM_AUTHINFO_UNAVAIL",
        PamCode.UserUnknown => "PAM_USER_UNKNOWN",
        PamCode.NewTokenRequired => "PAM_NEW_AUTHTOK_REQD",
        PamCode.AccountExpired => "PAM_ACCT_EXPIRED",
        PamCode.CredentialsExpired => "PAM_CRED_EXPIRED",
        PamCode.ConversationFailed => "PAM_CONV_ERR",
        PamCode.Abort => "PAM_ABORT",
        PamCode.TokenExpired => "PAM_AUTHTOK_EXPIRED",
        PamCode.ModuleUnknown => "PAM_MODULE_UNKNOWN",
        var other => $"PAM code {(int)other}",
    };

    private LoginAnswer.NoMatch Disabled(string why) => new($"{why} ({Name})", UserExists: true);

    private LoginAnswer.Unavailable Unavailable(string why) => new($"{why} ({Name})");
}

/// <summary>What Linux-PAM returns (<c>_pam_types.h</c>), as far as it decides something.</summary>
internal enum PamCode
{
    Success = 0,
    OpenFailed = 1,
    SymbolMissing = 2,
    ServiceError = 3,
    SystemError = 4,
    PermissionDenied = 6,
    AuthenticationError = 7,
    CredentialsInsufficient = 8,
    InformationUnavailable = 9,
    UserUnknown = 10,
    MaxTries = 11,
    NewTokenRequired = 12,
    AccountExpired = 13,
    CredentialsExpired = 16,
    ConversationFailed = 19,
    Abort = 26,
    TokenExpired = 27,
    ModuleUnknown = 28,
}
