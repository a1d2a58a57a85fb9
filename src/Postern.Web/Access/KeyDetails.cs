using System.Collections.Immutable;

namespace Postern.Web.Access;

/// <summary>A key as others see it; never the key.</summary>
/// <param name="Id">The second part of the key, which names it.</param>
/// <param name="Tenant">Beyond which it sees nothing; null for the whole server.</param>
/// <param name="Account">As which it sends; null for none.</param>
/// <param name="Networks">In CIDR, from which it is good; empty for all.</param>
internal sealed record KeyDetails(
    string Id,
    string Label,
    ImmutableArray<string> Scopes,
    string? Tenant,
    string? Account,
    ImmutableArray<string> Networks,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    bool Expired)
{
    /// <summary>Null where it was not used, or that is not known any more.</summary>
    public KeyUse? LastUse { get; init; }

    /// <summary>How it begins, for whoever looks for it in a program.</summary>
    public string Prefix => $"pst_{Id}_";
}

/// <summary>When, from where and by which program a key was used last.</summary>
/// <param name="Agent">As the program says of itself: text of a stranger.</param>
internal sealed record KeyUse(DateTimeOffset At, string Client, string? Agent);
