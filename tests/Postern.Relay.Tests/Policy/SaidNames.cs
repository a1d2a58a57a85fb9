using System.Net;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>A DNS of four names: known.test and 192.0.2.1 lead to each other, none.test takes no mail, silent.test never answers.</summary>
internal sealed class SaidNames : INameLookup
{
    public ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct) => new(domain.Text switch
    {
        "known.test" => new NameAnswer.Known("it is there"),
        "none.test" => new NameAnswer.Unknown("null MX") { TakesNone = true },
        "silent.test" => new NameAnswer.Unavailable("no answer"),
        _ => new NameAnswer.Unknown("no such domain"),
    });

    public ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct) =>
        new(client.ToString() == "192.0.2.1" ? new NameAnswer.Known("known.test") : new NameAnswer.Unknown("no name"));
}
