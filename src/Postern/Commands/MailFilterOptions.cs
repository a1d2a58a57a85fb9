using System.CommandLine;
using System.Net;

namespace Postern.Commands;

/// <summary>The options by which the queue and the log are searched for messages.</summary>
/// <param name="outcomes">The words that --outcome takes.</param>
internal class MailFilterOptions(params string[] outcomes)
{
    public Option<string?> From { get; } = new("--from")
    {
        Description = "Of this sender: an address, a domain, or '<>' for bounces",
        HelpName = "SENDER",
    };

    public Option<string?> To { get; } = new("--to") { Description = "To this recipient: an address or a domain", HelpName = "RECIPIENT" };

    public Option<string?> Domain { get; } = new("--domain") { Description = "From or to this domain", HelpName = "DOMAIN" };

    public Option<string?> MessageId { get; } = new("--message-id")
    {
        Description = "With this Message-ID, as the log has it",
        HelpName = "ID",
    };

    public Option<string?> Login { get; } = new("--login") { Description = "Of this user", HelpName = "USER" };

    public Option<IPNetwork?> Client { get; } = new("--client")
    {
        Description = "From this address or network",
        HelpName = "CIDR",
        CustomParser = ParsedArguments.Network,
    };

    public Option<Moment?> Since { get; } = new("--since")
    {
        Description = "Not before this: 30m or 7d ago, or 2026-11-28T09:30 (UTC)",
        HelpName = "TIME",
        CustomParser = Moment.Parse,
    };

    public Option<Moment?> Until { get; } = new("--until")
    {
        Description = "Before this, written like --since",
        HelpName = "TIME",
        CustomParser = Moment.Parse,
    };

    public Option<string?> Outcome { get; } = Words(outcomes);

    public Symbol[] OfMessages => [From, To, Domain, MessageId, .. OfAll];

    public Symbol[] OfAll => [Login, Client, Since, Until, Outcome];

    private static Option<string?> Words(string[] words)
    {
        var option = new Option<string?>("--outcome") { Description = $"That came to this: {string.Join(", ", words)}", HelpName = "WORD" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } word && !words.Contains(word, StringComparer.OrdinalIgnoreCase))
                result.AddError($"'{word}' is not right here; expected {string.Join(", ", words[..^1])} or {words[^1]}");
        });
        return option;
    }
}
