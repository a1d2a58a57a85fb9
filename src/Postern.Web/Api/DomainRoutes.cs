using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Domains of this server, and networks that may send as them.</summary>
internal static class DomainRoutes
{
    private static readonly Parameter<string> Name = Parameter.Text("domain", "The domain");
    private static readonly Parameter<string> Cidr = Parameter.Network("network", "An address, or a network in CIDR");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/domains", Scopes.DomainsRead, "All domains of the directory, by name.", ListAsync)
        {
            Gives = typeof(ImmutableArray<DomainDetails>),
        },
        new("GET", "/domains/{domain}", Scopes.DomainsRead, "One domain.", ShowAsync)
        {
            Parameters = [Name],
            Gives = typeof(DomainDetails),
        },
        new("PUT", "/domains/{domain}", Scopes.DomainsWrite, "Adds a domain; one that is there stays as it is.", AddAsync)
        {
            Parameters = [Name],
            Takes = typeof(NewDomain),
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/domains/{domain}", Scopes.DomainsWrite, "Removes a domain.", RemoveAsync)
        {
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("GET", "/domains/{domain}/dkim", Scopes.DomainsRead, "The keys that sign a domain's mail; never a private one.", KeysAsync)
        {
            Parameters = [Name],
            Gives = typeof(ImmutableArray<DkimKeyDetails>),
        },
        new("GET", "/networks", Scopes.DomainsRead, "Networks that may send without a login, by domain.", NetworksAsync)
        {
            Gives = typeof(ImmutableArray<NetworkDetails>),
        },
        new("PUT", "/domains/{domain}/networks", Scopes.DomainsWrite, "Lets a network send as a domain without a login.", AddNetworkAsync)
        {
            Parameters = [Name, Cidr],
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/domains/{domain}/networks", Scopes.DomainsWrite, "Takes that away.", RemoveNetworkAsync)
        {
            Parameters = [Name, Cidr],
            Gives = typeof(OutcomeDocument),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) => AskAsync(call, static directory => Answer.Of(directory.Queries.Domains()));

    private static ValueTask<Answer> ShowAsync(Call call) => AskAsync(call, directory =>
        directory.Queries.Domain(call.Get(Name)!) is { } domain
            ? Answer.Of(domain)
            : Answer.Of(directory.Queries.NoSuchDomain(call.Get(Name)!)));

    private static ValueTask<Answer> AddAsync(Call call) =>
        AskAsync(call, directory => Answer.Of(directory.Commands.Domains.Add(call.Get(Name)!, call.Body<NewDomain>().Accepts)));

    private static ValueTask<Answer> RemoveAsync(Call call) =>
        AskAsync(call, directory => Answer.Of(directory.Commands.Domains.Remove(call.Get(Name)!)));

    private static ValueTask<Answer> KeysAsync(Call call) => AskAsync(call, directory =>
        directory.Queries.Domain(call.Get(Name)!) is { } domain
            ? Answer.Of(directory.Queries.DkimKeys(domain.Name))
            : Answer.Of(directory.Queries.NoSuchDomain(call.Get(Name)!)));

    private static ValueTask<Answer> NetworksAsync(Call call) =>
        AskAsync(call, static directory => Answer.Of(directory.Queries.Networks()));

    private static ValueTask<Answer> AddNetworkAsync(Call call) => AskAsync(call, directory => call.Get(Cidr) is { } cidr
        ? Answer.Of(directory.Commands.Networks.Add(cidr, call.Get(Name)!))
        : Answer.Wrong("?network", "which network is missing"));

    private static ValueTask<Answer> RemoveNetworkAsync(Call call) => AskAsync(call, directory => call.Get(Cidr) is { } cidr
        ? Answer.Of(directory.Commands.Networks.Remove(cidr, call.Get(Name)))
        : Answer.Wrong("?network", "which network is missing"));

    private static ValueTask<Answer> AskAsync(Call call, Func<DirectoryDoor, Answer> ask) =>
        new(DirectoryDoor.Of(call) is { } directory ? ask(directory) : DirectoryDoor.None);
}
