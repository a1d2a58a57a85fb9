using Postern.Smtp.Session;

namespace Postern.Relay.Accounts;

/// <summary>What a session keeps of its login's account, for events and decisions; there is none where nothing is to be kept.</summary>
/// <param name="Tenant">Whose account it is, of those that share the server.</param>
internal sealed record LoginFacts(string Tenant)
{
    public static LoginFacts? Of(string? tenant) => tenant is null ? null : new(tenant);

    /// <summary>The tenant of the account on whose behalf a session acts; null for nobody's in particular, and without a login.</summary>
    public static string? TenantOf(SessionState session) => (session.LoginData as LoginFacts)?.Tenant;
}
