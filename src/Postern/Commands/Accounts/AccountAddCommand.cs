using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account add</c>.</summary>
internal static class AccountAddCommand
{
    public static Command Create(CommandContext context)
    {
        var (name, address, domain) = (AccountCommand.Name(), AccountCommand.Address(), AccountCommand.Domain());
        name.Description = "What it logs in as; an address may be sent as without a further grant";
        var (tenant, keep) = (AccountCommand.Tenant(), AccountCommand.Keep());
        var command = new DocumentedCommand(
            "add",
            "Add an account",
            "postern account add lisa@example.org",
            "postern account add printer --address scans@example.org").With(name, address, domain, tenant, keep, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory => context.Report(
            arguments,
            directory.Commands.Accounts.Add(
                new AddAccount(arguments.GetRequiredValue(name), [
                    .. arguments.GetValue(address) ?? [],
                ], [.. arguments.GetValue(domain) ?? []]) { Tenant = arguments.GetValue(tenant), Keep = arguments.GetValue(keep) }),
            alreadyThere: ExitCode.No)));
        return command;
    }
}
