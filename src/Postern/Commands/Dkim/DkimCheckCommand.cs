using System.Collections.Immutable;
using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Dkim;

namespace Postern.Commands.Dkim;

/// <summary><c>postern dkim check</c>: what DNS shows of a domain's keys; exit 1 when it is not what it should be.</summary>
internal static class DkimCheckCommand
{
    public static Command Create(CommandContext context)
    {
        var name = DkimCommand.Name();
        var command = new DocumentedCommand(
            "check",
            "Ask DNS for the records of a domain's keys; exit 1 when one is missing or wrong",
            "postern dkim check example.org").With(name, context.Json);
        command.SetAction((arguments, ct) => WithDnsAsync(context, arguments, async (directory, dns) =>
        {
            var domain = arguments.GetRequiredValue(name);
            var keys = directory.Queries.DkimKeys(domain).Where(static key => key.State != "retired").ToList();
            if (keys.Count == 0)
                return context.Report(arguments, new AdminOutcome.NotFound(
                    $"{domain} has no key in use or to come; to make one: postern dkim create {domain}"));
            var found = ImmutableArray.CreateBuilder<DkimCheckDocument.Key>(keys.Count);
            foreach (var key in keys)
                found.Add(DkimCheckDocument.Key.Of(key, await key.LookAsync(dns, ct)));
            var document = new DkimCheckDocument(found.All(static f => f.Ok), found.ToImmutable());
            context.Show(arguments, document, CommandJson.Readable.DkimCheckDocument, terminal =>
            {
                var table = new TablePage("record", "key", "DNS");
                foreach (var key in document.Keys)
                    table.Row(key.Name, $"{key.Algorithm}, {key.State}", key.Words);
                table.WriteTo(terminal);
                if (!document.Ok)
                    terminal.Line($"What to publish: postern dkim dns {domain}");
                else if (document.Keys.Any(static k => k.State == "pending"))
                    terminal.Line($"To put to use what waits: postern dkim activate {domain}");
            });
            return document.Ok ? ExitCode.Ok : ExitCode.No;
        }));
        return command;
    }

    /// <summary>The directory, and the resolvers that the configuration names.</summary>
    public static async Task<int> WithDnsAsync(
        CommandContext context, ParseResult arguments, Func<DirectoryAccess, DkimDns, ValueTask<int>> work)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        var dns = new DkimDns(configuration.ToDelivery(), context.Clock);
        return await context.WithDirectoryAsync(arguments, directory => work(directory, dns));
    }
}

/// <summary>What <c>postern dkim check --json</c> prints.</summary>
internal sealed record DkimCheckDocument(bool Ok, ImmutableArray<DkimCheckDocument.Key> Keys)
{
    /// <param name="Dns"><c>shown</c>, <c>testing</c>, <c>missing</c>, <c>different</c> or <c>unavailable</c>.</param>
    /// <param name="Words">The same, for people.</param>
    internal sealed record Key(bool Ok, string Name, string Selector, string Algorithm, string State, string Dns, string Words)
    {
        public static Key Of(DkimKeyDetails key, DkimDnsAnswer answer)
        {
            var word = answer switch
            {
                DkimDnsAnswer.Shown(var isTesting) => isTesting ? "testing" : "shown",
                DkimDnsAnswer.Missing => "missing",
                DkimDnsAnswer.Different => "different",
                _ => "unavailable",
            };
            return new Key(word == "shown", key.RecordName, key.Selector, key.Algorithm, key.State, word, answer.Words);
        }
    }
}
