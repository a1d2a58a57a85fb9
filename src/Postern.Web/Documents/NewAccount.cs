using System.Collections.Immutable;
using Postern.Relay.Admin;

namespace Postern.Web.Documents;

/// <param name="Addresses">It may send as these; nothing means the name itself, where it is an address.</param>
/// <param name="Domains">It may send as any address of these.</param>
/// <param name="Tenant">Null for nobody's in particular.</param>
internal sealed record NewAccount(
    ImmutableArray<string> Addresses = default, ImmutableArray<string> Domains = default, string? Tenant = null);

/// <summary>What an account may, or may no longer, send as.</summary>
/// <param name="ActsAs">Accounts as which it may act.</param>
internal sealed record GrantChange(
    ImmutableArray<string> Addresses = default, ImmutableArray<string> Domains = default, ImmutableArray<string> ActsAs = default)
{
    public ChangeGrants Of(string account) => new(account, Or(Addresses), Or(Domains)) { ActsAs = Or(ActsAs) };

    private static ImmutableArray<string> Or(ImmutableArray<string> some) => some.IsDefault ? [] : some;
}

/// <param name="Label">Where it is used, such as <c>printer</c>.</param>
/// <param name="ExpiresAfter">In seconds; null for never.</param>
/// <param name="IsApp">For one program or device.</param>
/// <param name="Networks">From where it may be used; null for anywhere.</param>
/// <param name="Senders">As whom it may send; null for whatever its account may.</param>
internal sealed record NewSecret(
    string? Label = null,
    long? ExpiresAfter = null,
    bool IsApp = false,
    ImmutableArray<string>? Networks = null,
    ImmutableArray<string>? Senders = null);
