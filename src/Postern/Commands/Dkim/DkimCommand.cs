using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin;

namespace Postern.Commands.Dkim;

/// <summary><c>postern dkim</c>: the keys that sign mail, from their making to their end.</summary>
internal static class DkimCommand
{
    /// <summary>The states of a key that signs, and of one whose private part is gone already.</summary>
    private const string SigningNow = "active";

    private const string Erased = "retired";

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
        var yes = Yes();
        var command = new DocumentedCommand(
            "retire",
            "Erase keys that others have followed, and say which records may leave DNS",
            "postern dkim retire example.org").With(name, selector, yes, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var (domain, wanted) = (arguments.GetRequiredValue(name), arguments.GetValue(selector));
            var active = directory.Queries.DkimKeys(domain).Where(
                key => wanted is not null && IsMeant(key, wanted) && key.State == SigningNow).ToList();
            return WhyNot(context, arguments.GetValue(yes), domain, active)
                ?? context.Report(arguments, directory.Commands.Dkim.Retire(domain, wanted));
        }));
        return command;
    }

    /// <summary><c>postern dkim remove</c>.</summary>
    private static Command Remove(CommandContext context)
    {
        var name = Name();
        var selector = Selector("This key only [default: all of the domain]");
        var yes = Yes();
        var command = new DocumentedCommand(
            "remove",
            "Forget all keys of a domain: its mail leaves unsigned",
            "postern dkim remove example.org --yes").With(name, selector, yes, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var (domain, wanted) = (arguments.GetRequiredValue(name), arguments.GetValue(selector));
            var erased = directory.Queries.DkimKeys(domain).Where(key => IsMeant(key, wanted) && key.State != Erased).ToList();
            return WhyNot(context, arguments.GetValue(yes), domain, erased)
                ?? context.Report(arguments, directory.Commands.Dkim.Remove(domain, wanted));
        }));
        return command;
    }

    private static Option<bool> Yes() => new("--yes") { Description = "Do not ask before a private key is erased" };

    private static bool IsMeant(DkimKeyDetails key, string? selector) =>
        selector is null || key.Selector.Equals(selector, StringComparison.OrdinalIgnoreCase);

    /// <summary>A private key that is erased cannot be had again. The exit code where it is not to be, else null.</summary>
    private static int? WhyNot(CommandContext context, bool isSure, string domain, List<DkimKeyDetails> erased)
    {
        if (isSure || erased.Count == 0)
            return null;
        var keys = string.Join(" and ", erased.Select(static key => $"{key.Selector} ({key.State})"));
        if (!context.Terminal.CanAsk)
            return context.Terminal.Fail(
                $"the private part of {keys} of {domain} would be erased for good, and there is nobody to ask",
                "Say --yes to erase it.",
                ExitCode.Usage);
        return context.Terminal.Confirm($"Erase the private part of {keys} of {domain} for good?")
            ? null
            : context.Terminal.Fail("nothing was erased", "Answer y, or say --yes.");
    }
}
