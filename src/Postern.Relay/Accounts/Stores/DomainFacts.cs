using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Accounts.Stores;

/// <summary>What the database says about one domain.</summary>
/// <param name="Networks">Most specific first.</param>
internal sealed record DomainFacts(bool IsListed, bool AcceptsRecipients, ImmutableArray<IPNetwork> Networks);
