using System.Collections.Immutable;

namespace Postern.Web.Documents;

/// <summary>Whom a code is for.</summary>
/// <param name="Tenant">Of a tenant's roles.</param>
internal sealed record NewInvitation(string Role, string? Tenant = null);

/// <summary>Another role of an operator.</summary>
/// <param name="Tenant">Of a tenant's roles.</param>
internal sealed record NewRole(string Role, string? Tenant = null);

/// <summary>How many sessions of operators have ended.</summary>
internal sealed record SessionsEnded(int Ended);

/// <summary>A key that is to be made.</summary>
/// <param name="Label">What it is for; unique.</param>
/// <param name="Scopes">Words; a star stands for the rest of one.</param>
internal sealed record NewKey(string Label, ImmutableArray<string> Scopes)
{
    public string? Tenant { get; init; }

    /// <summary>As which it sends.</summary>
    public string? Account { get; init; }

    /// <summary>In CIDR, from which it is good; for all where nothing is said.</summary>
    public ImmutableArray<string>? Networks { get; init; }

    /// <summary>Seconds from now; a year where nothing is said.</summary>
    public long? ExpiresAfter { get; init; }
}
