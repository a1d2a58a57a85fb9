using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Addresses that get no mail.</summary>
internal static class SuppressionRoutes
{
    private const int MostEntries = 500;

    private static readonly Parameter<string> To = Parameter.Text("to", "An address or a domain");
    private static readonly Parameter<string> Tenant = Parameter.Text("tenant", "For mail of this tenant; nothing for all mail");
    private static readonly Parameter<string> Address = Parameter.Text("address", "The address");
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Entries; 50 where nothing is said", MostEntries);

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/suppressions", Scopes.SuppressionsRead, "Addresses that get no mail, by address.", ListAsync)
        {
            IsForTenants = true,
            Parameters = [To, Tenant, Limit],
            Gives = typeof(ImmutableArray<Suppression>),
        },
        new("PUT", "/suppressions/{address}", Scopes.SuppressionsWrite, "An address gets no mail from now on.", AddAsync)
        {
            IsForTenants = true,
            Parameters = [Address, Tenant],
            Takes = typeof(NewSuppression),
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/suppressions/{address}", Scopes.SuppressionsWrite, "An address gets mail again.", RemoveAsync)
        {
            IsForTenants = true,
            Parameters = [Address, Tenant],
            Gives = typeof(OutcomeDocument),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) => new(DirectoryDoor.Of(call) is { } directory
        ? Answer.Of(directory.Queries.Suppressions(TenantOf(call), call.Get(To), call.Get(Limit) ?? 50))
        : DirectoryDoor.None);

    private static ValueTask<Answer> AddAsync(Call call)
    {
        var asked = call.Body<NewSuppression>();
        return new(DirectoryDoor.Of(call) is { } directory
            ? Answer.Of(directory.Commands.Suppressions.Add(
                call.Get(Address)!, TenantOf(call), asked.Reason, asked.Lasts is { } seconds ? TimeSpan.FromSeconds(seconds) : null))
            : DirectoryDoor.None);
    }

    private static ValueTask<Answer> RemoveAsync(Call call) => new(DirectoryDoor.Of(call) is { } directory
        ? Answer.Of(directory.Commands.Suppressions.Remove(call.Get(Address)!, TenantOf(call)))
        : DirectoryDoor.None);

    /// <summary>A tenant's callers change their own alone, whatever they say.</summary>
    private static string? TenantOf(Call call) => call.Caller.Tenant ?? call.Get(Tenant);
}
