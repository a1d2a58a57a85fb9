using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>The pages that every page leads to.</summary>
/// <param name="IsServers">It shows what belongs to no tenant.</param>
public sealed record NavigationEntry(string Name, string Url, bool IsServers = false)
{
    public const string Overview = "Overview";
    public const string Messages = "Messages";
    public const string Queue = "Queue";
    public const string Explain = "Explain";

    private static readonly ImmutableArray<NavigationEntry> All =
    [
        new(Overview, "/", IsServers: true),
        new(Messages, "/messages"),
        new(Queue, "/queue"),
        new("Accounts", "/accounts"),
        new("Domains", "/domains"),
        new("Logins", "/logins"),
        new(Explain, "/explain"),
        new("Settings", "/settings", IsServers: true),
    ];

    private static readonly ImmutableArray<NavigationEntry> OfTenants =
    [
        .. All.Where(static one => !one.IsServers), new("Suppressions", "/suppressions"), new("Webhooks", "/webhooks"),
    ];

    public static ImmutableArray<NavigationEntry> Of(PageFrame frame) => frame.Tenant is null ? All : OfTenants;
}
