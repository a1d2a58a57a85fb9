using System.CommandLine;

namespace Postern.Commands.Domains;

/// <summary><c>postern domain</c>: the domains that are ours.</summary>
internal static class DomainCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("domain", "Sender domains, and domains whose recipients are accepted", "postern domain add example.org --accept").With(
            DomainAddCommand.Create(context), DomainListCommand.Create(context), DomainShowCommand.Create(context), DomainRemoveCommand.Create(context));

    public static Argument<string> Name() => new("DOMAIN") { Description = "The domain" };
}
