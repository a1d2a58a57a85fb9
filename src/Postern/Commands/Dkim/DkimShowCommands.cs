using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Dkim;
using Postern.Web.Documents;

namespace Postern.Commands.Dkim;

/// <summary><c>postern dkim list</c> and <c>dns</c>: what keys there are, and what to publish of them.</summary>
internal static class DkimShowCommands
{
    /// <summary><c>postern dkim list</c>.</summary>
    public static Command List(CommandContext context)
    {
        var name = new Argument<string?>("DOMAIN") { Description = "Of this domain only", Arity = ArgumentArity.ZeroOrOne };
        var command = new DocumentedCommand("list", "List keys, with their states", "postern dkim list --json").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var keys = directory.Queries.DkimKeys(arguments.GetValue(name));
            return context.Show(arguments, keys, ApiJson.Readable.ImmutableArrayDkimKeyDetails, terminal =>
            {
                var table = new TablePage("domain", "selector", "algorithm", "state", "since", "made by");
                foreach (var key in keys)
                    table.Row(
                        key.Domain,
                        key.Selector,
                        string.Create(CultureInfo.InvariantCulture, $"{key.Algorithm} {key.Bits}"),
                        key.State,
                        TimeText.Format(key.RetiredAt ?? key.ReplacedAt ?? key.ActivatedAt ?? key.CreatedAt),
                        key.IsScheduled ? "schedule" : "hand");
                table.WriteTo(terminal, ifEmpty: "no keys, and mail leaves unsigned; to make them: postern dkim create DOMAIN");
            });
        }));
        return command;
    }

    /// <summary><c>postern dkim dns</c>.</summary>
    public static Command Dns(CommandContext context)
    {
        var name = DkimCommand.Name();
        var command = new DocumentedCommand(
            "dns", "Print the records that DNS is to have, to be pasted", "postern dkim dns example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var domain = arguments.GetRequiredValue(name);
            var keys = Published(directory, domain);
            if (keys.IsEmpty)
                return context.Report(arguments, new AdminOutcome.NotFound(
                    $"{domain} has no key to publish; to make one: postern dkim create {domain}"));
            return context.Show(arguments, keys, ApiJson.Readable.ImmutableArrayDkimKeyDetails, terminal => Print(terminal, keys));
        }));
        return command;
    }

    /// <summary>What became of a change; where keys were made, the records that wait to be published too.</summary>
    public static int ReportAndPublish(
        CommandContext context, ParseResult arguments, DirectoryAccess directory, string domain, AdminOutcome outcome)
    {
        if (outcome is not AdminOutcome.Done)
            return context.Report(arguments, outcome, alreadyThere: ExitCode.No);
        ImmutableArray<DkimKeyDetails> keys = [.. Published(directory, domain).Where(static k => k.State == "pending")];
        if (arguments.GetValue(context.Json))
            return context.Show(arguments, keys, ApiJson.Readable.ImmutableArrayDkimKeyDetails, static _ => { });
        context.Report(arguments, outcome);
        context.Terminal.Line();
        Print(context.Terminal, keys);
        return ExitCode.Ok;
    }

    private static ImmutableArray<DkimKeyDetails> Published(DirectoryAccess directory, string domain) =>
        [.. directory.Queries.DkimKeys(domain).Where(static key => key.State != "retired")];

    private static void Print(Terminal terminal, ImmutableArray<DkimKeyDetails> keys)
    {
        terminal.Line("For a zone file:");
        terminal.Line();
        foreach (var key in keys)
        {
            foreach (var line in DkimRecord.ZoneLine(key.RecordName, key.RecordText).Split('\n'))
                terminal.Line(line);
        }

        terminal.Line();
        terminal.Line("For a form that takes a name and a TXT value, and splits long values itself:");
        foreach (var key in keys)
        {
            terminal.Line();
            terminal.Line($"name   {key.RecordName}   ({key.State})");
            terminal.Line($"value  {key.RecordText}");
        }
    }
}
