using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Net;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Admin.Domains;

namespace Postern.Commands;

/// <summary><c>postern domain check</c>: a domain as receivers of its mail see it, and what to mend, in order.</summary>
internal static class DomainCheckCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("DOMAIN") { Description = "The domain that mail is sent from" };
        var addresses = new Option<IPAddress[]>("--address")
        {
            Description = "An address that mail leaves from [default: those of server.hostname in DNS]",
            HelpName = "IP",
            CustomParser = static result =>
            {
                var parsed = new List<IPAddress>();
                foreach (var token in result.Tokens)
                {
                    if (IPAddress.TryParse(token.Value, out var address))
                        parsed.Add(address);
                    else
                        result.AddError($"'{token.Value}' is no IP address");
                }

                return [.. parsed];
            },
        };
        var command = new DocumentedCommand(
            "check",
            "Look at a domain as receivers of its mail do (reverse names, SPF, DKIM, DMARC, MX, MTA-STS), and say in order what to mend; "
                + "exit 1 when there is something",
            "postern domain check example.org",
            "postern domain check example.org --address 192.0.2.25 --json").With(name, addresses, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            return await context.WithDirectoryAsync(arguments, async directory =>
            {
                var wanted = arguments.GetRequiredValue(name);
                if (DomainReview.Canonical(wanted) is not { } domain)
                    return context.Terminal.Fail($"'{wanted}' is no domain", "Give one such as example.org.", ExitCode.Usage);
                var findings = await new DomainReview(configuration.ToDelivery(), context.Clock).LookAsync(
                    domain, directory.Queries.DkimKeys(domain), [.. arguments.GetValue(addresses) ?? []], Smarthost(configuration), ct);
                var isOk = findings.All(static f => f.Grade is DomainGrade.Good or DomainGrade.Hint);
                var document = new DomainCheckDocument(isOk, domain, findings);
                context.Show(arguments, document, CommandJson.Readable.DomainCheckDocument, terminal => Print(terminal, document));
                return document.Ok ? ExitCode.Ok : ExitCode.No;
            });
        });
        return command;
    }

    private static void Print(Terminal terminal, DomainCheckDocument document)
    {
        var table = new TablePage("what", "is", "because");
        foreach (var finding in document.Findings)
            table.Row(finding.Topic, Word(finding.Grade), finding.Words);
        table.WriteTo(terminal);
        var steps = document.Findings.Where(static f => f.Todo is not null).OrderByDescending(static f => f.Grade == DomainGrade.Mend)
            .ThenByDescending(static f => f.Grade == DomainGrade.Unknown).ToList();
        terminal.Line();
        terminal.Line(
            !document.Ok ? "What to mend, in this order:"
                : steps.Count == 0 ? "Nothing is to be mended."
                : "Nothing must be mended. What could be better:");
        for (var i = 0; i < steps.Count; i++)
        {
            var better = steps[i].Grade == DomainGrade.Hint ? " (better with it)" : string.Empty;
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{i + 1}. {steps[i].Topic}{better}: {steps[i].Todo}"));
        }
    }

    private static string Word(DomainGrade grade) => grade switch
    {
        DomainGrade.Good => "good",
        DomainGrade.Hint => "fair",
        DomainGrade.Mend => "wrong",
        _ => "unknown",
    };

    /// <summary>The server that everything leaves by, where one route says so.</summary>
    private static string? Smarthost(PosternConfiguration configuration) => configuration.Delivery.Routes
        .Select(static r => r.Route)
        .FirstOrDefault(static r => r.To == "*" && r.From.IsEmpty && r.Logins.IsEmpty && r.Listeners.IsEmpty && r.Tenants.IsEmpty)
        ?.Via.FirstOrDefault(static via => via.StartsWith("smtp", StringComparison.Ordinal));
}

/// <summary>What <c>postern domain check --json</c> prints.</summary>
internal sealed record DomainCheckDocument(bool Ok, string Domain, ImmutableArray<DomainFinding> Findings);
