using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>delivery.mx</c>: delivery to the mail exchangers of a domain.</summary>
internal sealed record MxOptions(ImmutableArray<IPNetwork> AllowNetworks)
{
    public static MxOptions Read(Section section) => new(
        section.List("allow_networks", Kinds.Network, [], "none", "Networks that exchangers may be in although they are private, loopback or otherwise not of the public internet. Whoever publishes DNS names exchangers: write the networks of your own exchangers only."));
}
