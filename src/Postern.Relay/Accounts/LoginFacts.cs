using Postern.Smtp.Session;

namespace Postern.Relay.Accounts;

/// <summary>What a session keeps of its login's account, for events and decisions; there is none where nothing is to be kept.</summary>
/// <param name="Tenant">Whose account it is, of those that share the server.</param>
internal sealed record LoginFacts(string? Tenant)
{
    /// <summary>Who it is was said by the system on which this server runs, and not by the client.</summary>
    public bool IsSystemUser { get; init; }

    /// <summary><see cref="Account.Keep"/> of a user whom the system has named; null for all others, whose account is asked.</summary>
    public TimeSpan? Keep { get; init; }

    /// <summary>What the log says beside the login; null for nothing.</summary>
    public string? Aside { get; init; }

    public static LoginFacts? Of(string? tenant, string? aside = null) =>
        tenant is null && aside is null ? null : new(tenant) { Aside = aside };

    /// <summary>The session was begun here for a user of this machine.</summary>
    public static bool IsOfSystemUser(SessionState session) => session.LoginData is LoginFacts { IsSystemUser: true };

    public static string? AsideOf(SessionState session) => (session.LoginData as LoginFacts)?.Aside;

    public static TimeSpan? KeepOf(SessionState session) => (session.LoginData as LoginFacts)?.Keep;

    /// <summary>The tenant of the account on whose behalf a session acts; null for nobody's in particular, and without a login.</summary>
    public static string? TenantOf(SessionState session) => (session.LoginData as LoginFacts)?.Tenant;
}
