using System.Globalization;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>How an operation ended (RFC 4511 §4.1.9).</summary>
/// <param name="Diagnostic">In the server's words; it may quote what was asked for, and only its code is ever told.</param>
internal sealed record LdapResult(LdapCode Code, string Diagnostic)
{
    private const string DataMark = ", data ";

    public bool IsSuccess => Code == LdapCode.Success;

    /// <summary>Nothing is wrong with the question: another server may answer it.</summary>
    public bool IsOfServer => Code is LdapCode.Busy or LdapCode.Unavailable or LdapCode.Other;

    /// <summary>What a bind of a user means, for the audit trail; null where it says nothing about the password.</summary>
    public string? WhyNotBound => Code switch
    {
        LdapCode.InvalidCredentials => ActiveDirectoryReason ?? "wrong password",
        LdapCode.NoSuchObject => "there is no such entry to bind as",
        LdapCode.InvalidDnSyntax => "its name is none that can bind",
        LdapCode.InappropriateAuthentication => "the entry has no password",
        LdapCode.ConstraintViolation => "the server has locked it (constraintViolation)",
        _ => null,
    };

    /// <summary>
    /// Why Active Directory refuses a bind: the code of Windows in its words, "… comment: AcceptSecurityContext error, data 52e, v4563".
    /// Null where there is none.
    /// </summary>
    public string? ActiveDirectoryReason
    {
        get
        {
            var at = Diagnostic.IndexOf(DataMark, StringComparison.Ordinal);
            var rest = at < 0 ? string.Empty : Diagnostic[(at + DataMark.Length)..];
            var end = rest.IndexOf(',', StringComparison.Ordinal);
            if (end is < 1 or > 8
                || !uint.TryParse(rest.AsSpan(0, end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                return null;
            var meaning = code switch
            {
                0x525 => "there is no such user",
                0x52e => "wrong password",
                0x52f => "the account may not be used like this",
                0x530 => "not at this hour",
                0x531 => "not from this machine",
                0x532 => "the password has expired",
                0x533 => "the account is disabled",
                0x569 => "this kind of login is not granted",
                0x701 => "the account has expired",
                0x773 => "the password must be changed first",
                0x775 => "the account is locked after wrong passwords",
                _ => "refused",
            };
            return string.Create(CultureInfo.InvariantCulture, $"{meaning} (Active Directory {code:x})");
        }
    }

    /// <summary>Why there is no answer: the code by its name, and what to do where that is known.</summary>
    public string Reason => Code switch
    {
        LdapCode.InvalidCredentials => ActiveDirectoryReason ?? "wrong name or password (invalidCredentials)",
        LdapCode.ConfidentialityRequired or LdapCode.StrongerAuthRequired =>
            $"it wants TLS ({NameOf(Code)}): set 'tls: starttls' or ldaps://",
        LdapCode.NoSuchObject => "there is nothing at that name (noSuchObject)",
        LdapCode.InsufficientAccessRights => "the service account may not read there (insufficientAccessRights)",
        LdapCode.OperationsError => "it wants a bind first (operationsError): set 'bind' and 'password'",
        LdapCode.Referral => "it refers to another server, and referrals are not followed: name that one",
        LdapCode.SizeLimitExceeded => "it finds more than it tells (sizeLimitExceeded)",
        _ => string.Create(CultureInfo.InvariantCulture, $"it answers {NameOf(Code)} ({(int)Code})"),
    };

    /// <summary>The code alone.</summary>
    public override string ToString() => NameOf(Code);

    private static string NameOf(LdapCode code) =>
        Enum.IsDefined(code) && code.ToString() is { } name ? char.ToLowerInvariant(name[0]) + name[1..] : "an error";
}

/// <summary>Results by their numbers (RFC 4511, appendix A), as far as something is made of them or they are met often.</summary>
internal enum LdapCode
{
    Success = 0,
    OperationsError = 1,
    ProtocolError = 2,
    TimeLimitExceeded = 3,
    SizeLimitExceeded = 4,
    AuthMethodNotSupported = 7,
    StrongerAuthRequired = 8,
    Referral = 10,
    AdminLimitExceeded = 11,
    UnavailableCriticalExtension = 12,
    ConfidentialityRequired = 13,
    NoSuchAttribute = 16,
    UndefinedAttributeType = 17,
    InappropriateMatching = 18,
    ConstraintViolation = 19,
    InvalidAttributeSyntax = 21,
    NoSuchObject = 32,
    InvalidDnSyntax = 34,
    InappropriateAuthentication = 48,
    InvalidCredentials = 49,
    InsufficientAccessRights = 50,
    Busy = 51,
    Unavailable = 52,
    UnwillingToPerform = 53,
    LoopDetect = 54,
    Other = 80,
}
