using System.Collections.Immutable;
using Postern.Sasl.Kerberos;

namespace Postern.Relay.Accounts.Kerberos;

/// <summary>Whose tickets are taken, and which account each principal is.</summary>
/// <param name="Service">The keys; whoever opened them disposes them.</param>
/// <param name="Realms">Principals of no other realm are anybody here, whomever the Kerberos realms trust. Case matters.</param>
public sealed record KerberosRules(KerberosService Service, ImmutableArray<string> Realms, PrincipalAccount Account);
