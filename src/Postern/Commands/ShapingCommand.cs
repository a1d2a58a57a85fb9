using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Relay.Audit;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Grammar;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary><c>postern shaping</c>: what destinations are held to.</summary>
internal static class ShapingCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("shaping", "What mail that leaves is held to", "postern shaping explain example.org").With(Explain(context));

    /// <summary><c>postern shaping explain</c>.</summary>
    private static Command Explain(CommandContext context)
    {
        var name = new Argument<string>("DOMAIN") { Description = "The domain of a recipient" };
        var tenant = new Option<string?>("--tenant") { Description = "For mail of this tenant", HelpName = "TENANT" };
        var command = new DocumentedCommand(
            "explain",
            "Every limit and rate for mail to a domain, and where it stands; of a running server also what is slowed now, and until when",
            "postern shaping explain example.org",
            "postern shaping explain example.org --tenant acme --json").With(name, tenant, context.Json);
        command.SetAction((arguments, ct) => RunAsync(
            context, arguments, arguments.GetRequiredValue(name), arguments.GetValue(tenant), ct));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, ParseResult arguments, string name, string? tenant, CancellationToken ct)
    {
        if (!Domain.TryParse(name, out var domain))
            return context.Terminal.Fail(
                $"'{name}' is no domain", "Give the part of an address behind the '@'.", ExitCode.Usage);
        if (context.FindData(arguments) is not { } data)
            return ExitCode.Usage;
        var (server, why) = await ConnectAsync(data, ct);
        await using (server)
        {
            ShapingReport report;
            if (server is not null)
            {
                report = await server.ExplainShapingAsync(name, tenant, ct);
            }
            else
            {
                if (context.LoadConfiguration(arguments) is not { } configuration)
                    return ExitCode.Usage;
                report = await new ShapingCheck(configuration.ToDelivery(), context.Clock).RunAsync(domain, tenant, ct);
            }

            return context.Show(
                arguments, report, ApiJson.Readable.ShapingReport, terminal => Print(terminal, report, why, context.Clock.GetUtcNow()));
        }
    }

    /// <summary>The running server; or why the file has to do.</summary>
    private static async Task<(ControlClient? Server, string Why)> ConnectAsync(string data, CancellationToken ct)
    {
        try
        {
            return (await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct), $"no server is running on {data}");
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }
    }

    private static void Print(Terminal terminal, ShapingReport report, string why, DateTimeOffset now)
    {
        var page = new TablePage("what", "value", "of", "where it stands")
            .Row("domain", report.Domain, string.Empty, string.Empty);
        if (report.Tenant is { } tenant)
            page.Row("tenant", PrintableText.Of(tenant), string.Empty, string.Empty);
        page.Row("goes to", report.Hop ?? "nowhere", string.Empty, report.Route is { } route ? $"route {route}" : string.Empty);
        foreach (var host in report.Hosts)
            page.Row("host", host, string.Empty, string.Empty);
        if (report.Problem is { } problem)
            page.Row("not known", PrintableText.Of(problem), string.Empty, string.Empty);
        foreach (var other in report.PassedOver)
            page.Row("not for it", other, string.Empty, $"mail to {report.Domain} goes by a route: 'route: {report.Route}' would count");
        foreach (var value in report.Values)
        {
            page.Row(value.Key, value.Value, value.For, value.Source);
            foreach (var other in value.Over)
                page.Row(string.Empty, $"over {other}", string.Empty, string.Empty);
        }

        foreach (var state in report.Now)
            page.Row("now", $"{state.Name}: {PrintableText.Of(state.State)}{Until(state.Until, now)}", string.Empty, string.Empty);
        page.WriteTo(terminal);
        if (!report.IsServers)
            terminal.Line(PrintableText.Of($"of the file and not of a server: {why}, so what is slowed now is not known"));
        else if (report.Now.IsEmpty)
            terminal.Line("nothing is slowed or waited for now");
    }

    private static string Until(DateTimeOffset? until, DateTimeOffset now) => until is not { } time ? string.Empty
        : string.Create(
            CultureInfo.InvariantCulture,
            $" in {Math.Max(0, (time - now).TotalSeconds):0.#} s, at {TimeText.Format(time)}");
}
