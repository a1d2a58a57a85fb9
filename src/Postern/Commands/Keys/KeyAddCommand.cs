using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Accounts;
using Postern.Web.Access;
using Postern.Web.Documents;

namespace Postern.Commands.Keys;

/// <summary><c>postern key add</c>: a key is printed once.</summary>
internal static class KeyAddCommand
{
    public static Command Create(CommandContext context)
    {
        var label = new Argument<string>("LABEL") { Description = "What it is for; unique" };
        var scope = new Option<string[]>("--scope")
        {
            Description = $"What may be done with it; may be repeated; a star stands for the rest of a word: "
                + string.Join(", ", ScopeWords.All.Select(static one => one.Word)),
            HelpName = "SCOPE",
            Required = true,
        };
        var tenant = new Option<string?>("--tenant")
        {
            Description = "It sees what is of this tenant, and nothing else",
            HelpName = "TENANT",
        };
        var account = new Option<string?>("--account") { Description = "As which it sends", HelpName = "ACCOUNT" };
        var from = new Option<string[]>("--from")
        {
            Description = "Good for programs of this network, or this one address; may be repeated; for all unless said",
            HelpName = "CIDR",
        };
        var expires = new Option<TimeSpan?>("--expires")
        {
            Description = "How long it is good for, such as 90d; a year unless said",
            HelpName = "DURATION",
            CustomParser = ParsedArguments.Duration,
        };
        var command = new DocumentedCommand(
            "add",
            "Make a key for a program and print it once",
            "postern key add shop --scope messages.send --account shop --from 192.0.2.0/24",
            "postern key add grafana --scope metrics.read --expires 90d",
            "postern key add acme-crm --scope messages.read --scope suppressions.* --tenant acme").With(
            label, scope, tenant, account, from, expires, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            if (!ScopeWords.TryParse(arguments.GetRequiredValue(scope), out var scopes, out var wrong))
                return context.Terminal.Fail(
                    $"there is no scope '{wrong}'{NearestName.Hint(wrong, ScopeWords.All.Select(static one => one.Word))}",
                    "Run 'postern key add --help' to see them.",
                    ExitCode.Usage);
            var outcome = directory.Access.Keys.Add(new AddKey(arguments.GetRequiredValue(label), scopes)
            {
                Tenant = arguments.GetValue(tenant),
                Account = arguments.GetValue(account),
                Networks = [.. arguments.GetValue(from) ?? []],
                ExpiresAfter = arguments.GetValue(expires),
            });
            if (outcome is not KeyIssued issued)
                return context.Report(arguments, outcome, alreadyThere: ExitCode.No);
            return context.Show(arguments, KeyIssuedDocument.Of(issued), ApiJson.Readable.KeyIssuedDocument, terminal =>
            {
                terminal.Line(issued.Message);
                terminal.Line($"key: {issued.Key.Reveal()}");
                terminal.Note("It is not shown again.");
            });
        }));
        return command;
    }
}
