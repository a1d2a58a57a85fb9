using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Queue;

/// <summary>The options by which queue commands say which messages they mean.</summary>
internal sealed class FilterOptions
{
    public Option<string?> From { get; } = new("--from") { Description = "Messages of this sender: an address, a domain, or '<>' for bounces", HelpName = "SENDER" };

    public Option<string?> To { get; } = new("--to") { Description = "Messages that wait for this recipient: an address or a domain", HelpName = "RECIPIENT" };

    public Option<string?> Domain { get; } = new("--domain") { Description = "Messages from this domain, or waiting for it", HelpName = "DOMAIN" };

    public Option<TimeSpan?> OlderThan { get; } = new("--older-than") { Description = "Messages that arrived before this long ago, such as 2h or 3d", HelpName = "DURATION", CustomParser = ParsedArguments.Duration };

    public Option<bool> Held { get; } = new("--held") { Description = "Held messages only" };

    public Symbol[] All => [From, To, Domain, OlderThan, Held];

    public QueueFilter Read(ParseResult arguments, DateTimeOffset now) => new()
    {
        From = arguments.GetValue(From),
        To = arguments.GetValue(To),
        Domain = arguments.GetValue(Domain),
        ArrivedBefore = now - arguments.GetValue(OlderThan),
        Held = arguments.GetValue(Held) ? true : null,
    };
}
