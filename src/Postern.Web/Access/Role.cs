using System.Collections.Immutable;

namespace Postern.Web.Access;

/// <summary>What a person may do here. Which scopes that are is said here alone.</summary>
/// <param name="IsTenants">It is given within a tenant, and reaches nothing outside of it.</param>
internal sealed record Role(string Name, Scopes Scopes, bool IsTenants = false)
{
    private const Scopes Reading = Scopes.StatusRead | Scopes.MessagesRead | Scopes.QueueRead | Scopes.AccountsRead | Scopes.DomainsRead
        | Scopes.SuppressionsRead | Scopes.EventsRead | Scopes.WebhooksRead | Scopes.MetricsRead;

    private const Scopes Operating = Reading | Scopes.QueueWrite | Scopes.AccountsWrite | Scopes.DomainsWrite | Scopes.SuppressionsWrite
        | Scopes.MessagesSend | Scopes.PolicySimulate | Scopes.ServerWrite;

    private const Scopes TenantsReading = Scopes.MessagesRead | Scopes.AccountsRead | Scopes.DomainsRead | Scopes.SuppressionsRead
        | Scopes.EventsRead | Scopes.WebhooksRead | Scopes.QueueRead;

    /// <summary>Reads everything but content and secrets.</summary>
    public static readonly Role Viewer = new("viewer", Reading);

    /// <summary>Runs the server; changes neither who else may nor where events go.</summary>
    public static readonly Role Operator = new("operator", Operating);

    public static readonly Role Owner = new("owner", Operating | Scopes.MessagesContent | Scopes.WebhooksWrite | Scopes.Owner);

    public static readonly Role TenantViewer = new("tenant-viewer", TenantsReading, IsTenants: true);

    public static readonly Role TenantManager = new(
        "tenant-manager",
        TenantsReading | Scopes.QueueWrite | Scopes.AccountsWrite | Scopes.DomainsWrite | Scopes.SuppressionsWrite | Scopes.MessagesSend
        | Scopes.WebhooksWrite,
        IsTenants: true);

    public static ImmutableArray<Role> All { get; } = [Viewer, Operator, Owner, TenantViewer, TenantManager];

    /// <summary>Null for a word that is none.</summary>
    public static Role? Find(string name) => All.FirstOrDefault(role => role.Name == name);
}
