using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Policy.Suspending;

/// <summary>Who sends nothing until a time, and why.</summary>
/// <param name="Name">In canonical form; of a credential as <c>lisa@example.org#7</c>.</param>
/// <param name="Reason">The client is told it; printable US-ASCII, at most <see cref="MostOfReason"/> characters.</param>
/// <param name="Until">It ends by itself.</param>
/// <param name="By">The operator, or the rule that did it.</param>
public sealed record Suspension(
    SuspendedKind Of, string Name, string Reason, DateTimeOffset Since, DateTimeOffset Until, string By)
{
    /// <summary>With the longest sender the reply is still within the 512 octets of RFC 5321 §4.5.3.1.5.</summary>
    public const int MostOfReason = 100;

    /// <summary>The longest that somebody can be suspended for; who is to stay away for good is disabled.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromDays(366);

    /// <summary>Why a reason cannot be told to a client; null where it can.</summary>
    public static string? WhyNotReason(string reason) =>
        reason.Length is 0 or > MostOfReason || reason.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? $"a reason has 1 to {MostOfReason} printable characters of US-ASCII: the client is told it"
            : null;
}

/// <summary>Whose mail is not taken.</summary>
public enum SuspendedKind
{
    /// <summary>Of an account, whoever acts for it, and of whomever it acts for.</summary>
    Account,

    /// <summary>Of one secret of an account of the directory.</summary>
    Credential,

    /// <summary>Of all accounts of a tenant.</summary>
    Tenant,
}

/// <summary>The words for them.</summary>
public static class SuspendedKinds
{
    /// <summary>As commands, the file and the log have it.</summary>
    public static string Word(this SuspendedKind kind) => kind switch
    {
        SuspendedKind.Credential => "credential",
        SuspendedKind.Tenant => "tenant",
        _ => "account",
    };

    /// <summary>The canonical name of such a one; false where it can have no such name.</summary>
    public static bool TryName(this SuspendedKind kind, string text, out string name) => (kind switch
    {
        SuspendedKind.Credential => LimitScope.Credentials,
        SuspendedKind.Tenant => LimitScope.Tenants,
        _ => LimitScope.Logins,
    }).TryName(text, out name);
}
