using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary><c>postern suppression</c>: addresses that get no mail from here.</summary>
internal static class SuppressionCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "suppression",
            "Addresses that get no mail from here",
            "postern suppression list --tenant acme").With(
            Add(context), List(context), Remove(context), SuppressionIntake.Create(context));

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static Argument<string> Address() => new("ADDRESS") { Description = "A recipient such as lisa@example.net" };

    private static Option<string?> Tenant(string description) => new("--tenant") { Description = description, HelpName = "TENANT" };

    /// <summary><c>postern suppression add</c>.</summary>
    private static Command Add(CommandContext context)
    {
        var address = Address();
        var tenant = Tenant("For mail of this tenant's accounts only; for all mail unless said");
        var reason = new Option<string?>("--reason") { Description = "Why, for those who look later", HelpName = "TEXT" };
        var lasts = Lasts();
        var command = new DocumentedCommand(
            "add",
            "Keep mail from an address",
            "postern suppression add lisa@example.net --for 30d --reason unsubscribed").With(
            address, tenant, reason, lasts, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var code = context.Report(
                arguments,
                directory.Commands.Suppressions.Add(
                    arguments.GetRequiredValue(address),
                    arguments.GetValue(tenant),
                    arguments.GetValue(reason),
                    arguments.GetValue(lasts)));
            if (code == ExitCode.Ok && !directory.Configuration.Rules.Recipient.Any(static r => r.Word == SuppressionOptions.Rule))
                context.Terminal.Note(
                    $"nobody asks the list yet: put {SuppressionOptions.Rule} first in rules.recipient of the configuration");
            return code;
        }));
        return command;
    }

    /// <summary>How long an entry counts; null where it is not said.</summary>
    internal static Option<TimeSpan?> Lasts() => new("--for")
    {
        Description = "How long, such as 30d; until it is removed unless said",
        HelpName = "TIME",
        CustomParser = ParsedArguments.Duration,
    };

    /// <summary><c>postern suppression list</c>.</summary>
    private static Command List(CommandContext context)
    {
        var tenant = Tenant("Entries of this tenant only");
        var like = new Option<string?>("--to") { Description = "An address or a domain", HelpName = "WHO" };
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many",
            HelpName = "N",
            DefaultValueFactory = static _ => 100,
        };
        var command = new DocumentedCommand("list", "List addresses that get no mail", "postern suppression list --to example.net").With(
            tenant, like, limit, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var entries = directory.Queries.Suppressions(
                arguments.GetValue(tenant), arguments.GetValue(like), Math.Max(1, arguments.GetValue(limit)));
            return context.Show(arguments, entries, ApiJson.Readable.ImmutableArraySuppression, terminal =>
            {
                var table = new TablePage("address", "tenant", "since", "until", "reason");
                foreach (var one in entries)
                    table.Row(
                        one.Address, one.Tenant ?? "-", Text(one.AddedAt), one.ExpiresAt is { } at ? Text(at) : "-", one.Reason);
                table.WriteTo(terminal, ifEmpty: "no address is kept from mail");
            });
        }));
        return command;
    }

    /// <summary><c>postern suppression remove</c>.</summary>
    private static Command Remove(CommandContext context)
    {
        var address = Address();
        var tenant = Tenant("The entry of this tenant; the one for all mail unless said");
        var command = new DocumentedCommand(
            "remove",
            "Let an address have mail again",
            "postern suppression remove lisa@example.net").With(address, tenant, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments,
                directory.Commands.Suppressions.Remove(arguments.GetRequiredValue(address), arguments.GetValue(tenant)))));
        return command;
    }
}
