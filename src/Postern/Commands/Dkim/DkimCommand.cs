using System.CommandLine;

namespace Postern.Commands.Dkim;

/// <summary><c>postern dkim</c>: the keys that sign mail, from their making to their end.</summary>
internal static class DkimCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "dkim",
            "Keys that sign mail (DKIM): made, published, put to use, followed by others",
            "postern dkim create example.org",
            "postern dkim activate example.org").With(
            DkimCreateCommand.Create(context),
            DkimShowCommands.List(context),
            DkimShowCommands.Dns(context),
            DkimCheckCommand.Create(context),
            Rotate(context),
            Activate(context),
            Retire(context),
            Remove(context));

    public static Argument<string> Name() => new("DOMAIN") { Description = "The domain that the mail is from" };

    public static Option<string?> Selector(string description) =>
        new("--selector") { Description = description, HelpName = "S" };

    /// <summary><c>postern dkim rotate</c>.</summary>
    private static Command Rotate(CommandContext context)
    {
        var name = Name();
        var command = new DocumentedCommand(
            "rotate",
            "Make the keys that are to follow those in use, and print what to publish; 'activate' puts them to use",
            "postern dkim rotate example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var domain = arguments.GetRequiredValue(name);
            return DkimShowCommands.ReportAndPublish(context, arguments, directory, domain, directory.Commands.Dkim.Rotate(domain));
        }));
        return command;
    }

    /// <summary><c>postern dkim activate</c>.</summary>
    private static Command Activate(CommandContext context)
    {
        var name = Name();
        var isUnchecked = new Option<bool>("--unchecked") { Description = "Do not look whether DNS shows them" };
        var command = new DocumentedCommand(
            "activate",
            "Sign by the keys that wait, those whose records DNS shows; keys that signed before keep their records. "
                + "Exit 1 when it shows none",
            "postern dkim activate example.org").With(name, isUnchecked, context.Json);
        command.SetAction((arguments, ct) => DkimCheckCommand.WithDnsAsync(
            context,
            arguments,
            async (directory, dns) => context.Report(
                arguments,
                await directory.Commands.Dkim.ActivateAsync(
                    arguments.GetRequiredValue(name), arguments.GetValue(isUnchecked) ? null : dns, ct))));
        return command;
    }

    /// <summary><c>postern dkim retire</c>.</summary>
    private static Command Retire(CommandContext context)
    {
        var name = Name();
        var selector = Selector("This key, whatever its state [default: those that others have followed]");
        var command = new DocumentedCommand(
            "retire",
            "Erase keys that others have followed, and say which records may leave DNS",
            "postern dkim retire example.org").With(name, selector, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments, directory.Commands.Dkim.Retire(arguments.GetRequiredValue(name), arguments.GetValue(selector)))));
        return command;
    }

    /// <summary><c>postern dkim remove</c>.</summary>
    private static Command Remove(CommandContext context)
    {
        var name = Name();
        var selector = Selector("This key only [default: all of the domain]");
        var command = new DocumentedCommand(
            "remove",
            "Forget all keys of a domain: its mail leaves unsigned",
            "postern dkim remove example.org").With(name, selector, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments, directory.Commands.Dkim.Remove(arguments.GetRequiredValue(name), arguments.GetValue(selector)))));
        return command;
    }
}
