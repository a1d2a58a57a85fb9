using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Audit;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;

namespace Postern.Commands;

/// <summary><c>postern tls</c>: TLS towards receivers.</summary>
internal static class TlsCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("tls", "TLS towards receivers", "postern tls check example.org").With(Check(context));

    /// <summary><c>postern tls check</c>.</summary>
    private static Command Check(CommandContext context)
    {
        var name = new Argument<string>("DOMAIN") { Description = "The domain of a recipient" };
        var waived = new Option<bool>("--tls-required-no") { Description = "For a message with the field TLS-Required: No" };
        var command = new DocumentedCommand(
            "check",
            "Look up, connect and shake hands as a delivery to the domain would, to its mail exchangers or by its route, and say what "
                + "it came to; exit 1 when the mail would not go",
            "postern tls check example.org",
            "postern tls check example.org --json").With(name, waived, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var asked = arguments.GetRequiredValue(name);
            if (!Domain.TryParse(asked, out var domain))
                return context.Terminal.Fail($"'{asked}' is no domain", "Give the part of an address behind the '@'.", ExitCode.Usage);
            var check = new TlsCheck(
                configuration.ToDelivery(), RelayOptions.MtaStsDirectory(configuration.Server.Data), context.Clock)
            {
                IsTlsWaived = arguments.GetValue(waived),
            };
            var result = await check.RunAsync(domain, ct);
            context.Show(
                arguments, TlsCheckDocument.Of(result), CommandJson.Readable.TlsCheckDocument, terminal => Print(terminal, result));
            return result.WouldGo ? ExitCode.Ok : ExitCode.No;
        });
        return command;
    }

    private static void Print(Terminal terminal, TlsCheckResult result)
    {
        var page = new TablePage("what", "value")
            .Row("domain", result.Domain);
        if (result.Route is { } route)
            page.Row("route", $"{route}: {result.Hop}");
        foreach (var other in result.PassedOver)
            page.Row("for other mail", PrintableText.Of(other));
        page.Row("policy", TlsCheckDocument.PolicyOf(result));
        if (result.Waiver is { } waiver)
            page.Row("TLS-Required: No", waiver);
        if (result.Problem is { } problem)
        {
            page.Row(result.Rule is null ? "servers" : "mail exchangers", PrintableText.Of(problem));
        }
        else if (result.Rule is not null)
        {
            page.Row("MX records", result.IsAuthentic ? "proven by DNSSEC" : "not proven by DNSSEC");
        }

        if (result.MtaSts is { } sts)
            page.Row("MTA-STS", PrintableText.Of(sts));
        foreach (var host in result.Hosts)
        {
            page.Row(
                string.Create(CultureInfo.InvariantCulture, $"host {host.Preference}"),
                host.Remote ?? host.Name);
            page.Row("  TLSA", PrintableText.Of(host.Tlsa.Found));
            foreach (var record in host.Tlsa.Published)
                page.Row(string.Empty, record);
            page.Row("  held to", host.Policy);
            if (host.Tls is { } tls)
                page.Row("  TLS", $"{tls}, {host.Trust}");
            if (host.Certificate is { } certificate)
            {
                page.Row("  certificate", $"for {certificate.For}, by {certificate.Issuer}");
                page.Row(string.Empty, $"from {Day(certificate.From)} to {Day(certificate.Until)}, SHA-256 {certificate.Sha256}");
                page.Row(string.Empty, $"as TLSA: 3 1 1 {certificate.Spki256}");
            }

            page.Row("  outcome", PrintableText.Of(host.Fault is { } fault ? $"{host.Outcome} ({fault})" : host.Outcome));
        }

        page.Row(
            "a delivery",
            result.Fate switch
            {
                TlsCheckFate.Goes => $"would go to {result.Hosts.FirstOrDefault(static h => h.IsOpen)?.Name ?? result.Hop}",
                TlsCheckFate.Returned => "would be returned at once",
                _ when result.IsHeld => "would wait for a route: there is none in delivery.routes",
                _ => "would wait, and be returned in the end",
            })
            .WriteTo(terminal);
    }

    private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>What <c>postern tls check --json</c> prints.</summary>
internal sealed record TlsCheckDocument(
    string Domain, string Policy, string? Problem, bool MxProven, string? MtaSts, ImmutableArray<TlsCheckHost> Hosts, bool WouldGo)
{
    public string? TlsRequiredNo { get; init; }

    public string? Route { get; init; }

    /// <summary>Where the mail goes.</summary>
    public string? Hop { get; init; }

    /// <summary>Mail would be returned at once.</summary>
    public bool WouldBeReturned { get; init; }

    public static TlsCheckDocument Of(TlsCheckResult result) => new(
        result.Domain, PolicyOf(result), result.Problem, result.IsAuthentic, result.MtaSts, result.Hosts, result.WouldGo)
    {
        TlsRequiredNo = result.Waiver,
        Route = result.Route,
        Hop = result.Hop,
        WouldBeReturned = result.Fate == TlsCheckFate.Returned,
    };

    /// <summary>As it is configured, for this mail.</summary>
    public static string PolicyOf(TlsCheckResult result) =>
        result.Rule is { } rule ? PolicyOf(rule) : "that of the route";

    /// <summary>As it is configured.</summary>
    public static string PolicyOf(TlsRule rule)
    {
        var level = rule.Level switch
        {
            TlsLevel.None => "none",
            TlsLevel.Opportunistic => "opportunistic",
            TlsLevel.Encrypt => "encrypt",
            TlsLevel.Verify => rule.Names.IsEmpty ? "verify" : $"verify as {string.Join(' ', rule.Names)}",
            TlsLevel.Dane => "dane",
            _ => "mta-sts",
        };
        var otherwise = rule.Level is not (TlsLevel.Dane or TlsLevel.MtaSts) ? string.Empty
            : rule.Otherwise == TlsOtherwise.Defer ? ", required"
            : $", otherwise {rule.Otherwise.ToString().ToLowerInvariant()}";
        return $"{level}{otherwise} ({(rule.To == "*" ? "delivery.tls.default" : $"delivery.tls.policies to {rule.To}")})";
    }
}
