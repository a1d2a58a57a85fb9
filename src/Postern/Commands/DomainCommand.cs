using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary><c>postern domain</c>: the domains that are ours.</summary>
internal static class DomainCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "domain", "Sender domains, and domains whose recipients are accepted", "postern domain add example.org --accept").With(
            Add(context), List(context), Show(context), Remove(context), DomainCheckCommand.Create(context));

    private static Argument<string> Name() => new("DOMAIN") { Description = "The domain" };

    /// <summary><c>postern domain add</c>.</summary>
    private static Command Add(CommandContext context)
    {
        var name = Name();
        var accept = new Option<bool>("--accept") { Description = "Accept its recipients from anyone" };
        var command = new DocumentedCommand("add", "Add a sender domain", "postern domain add example.org").With(
            name, accept, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments, directory.Commands.Domains.Add(arguments.GetRequiredValue(name), arguments.GetValue(accept)))));
        return command;
    }

    /// <summary><c>postern domain list</c>.</summary>
    private static Command List(CommandContext context)
    {
        var command = new DocumentedCommand("list", "List domains", "postern domain list --json").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var domains = directory.Queries.Domains();
            return context.Show(arguments, domains, ApiJson.Readable.ImmutableArrayDomainDetails, terminal =>
            {
                var table = new TablePage("domain", "recipients accepted", "networks that may send for it");
                foreach (var domain in domains)
                    table.Row(domain.Name, Accepts(domain), Networks(domain));
                table.WriteTo(terminal, ifEmpty: "no domains; to add one: postern domain add DOMAIN");
            });
        }));
        return command;
    }

    /// <summary><c>postern domain show</c>.</summary>
    private static Command Show(CommandContext context)
    {
        var name = Name();
        var command = new DocumentedCommand(
            "show", "Show a domain and the networks that may send for it", "postern domain show example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var wanted = arguments.GetRequiredValue(name);
            if (directory.Queries.Domain(wanted) is not { } domain)
                return context.Report(arguments, directory.Queries.NoSuchDomain(wanted));
            return context.Show(arguments, domain, ApiJson.Readable.DomainDetails, terminal => new TablePage("what", "value")
                .Row("domain", domain.Name)
                .Row("recipients accepted", Accepts(domain))
                .Row("networks", Networks(domain))
                .WriteTo(terminal));
        }));
        return command;
    }

    /// <summary><c>postern domain remove</c>.</summary>
    private static Command Remove(CommandContext context)
    {
        var name = Name();
        var command = new DocumentedCommand(
            "remove", "Remove a domain; not while networks may send for it", "postern domain remove example.org").With(name, context.Json);
        command.SetAction(
            arguments => context.WithDirectoryAsync(
                arguments, directory => context.Report(arguments, directory.Commands.Domains.Remove(arguments.GetRequiredValue(name)))));
        return command;
    }

    private static string Accepts(DomainDetails domain) => domain.Accepts ? "from anyone" : "no";

    private static string Networks(DomainDetails domain) => domain.Networks.IsEmpty ? "-" : string.Join(", ", domain.Networks);
}
