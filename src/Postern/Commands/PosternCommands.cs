using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Postern.Commands.Accounts;
using Postern.Commands.Auth;
using Postern.Commands.Credentials;
using Postern.Commands.Dkim;
using Postern.Commands.Explain;
using Postern.Commands.Keys;
using Postern.Commands.Limits;
using Postern.Commands.Operators;
using Postern.Commands.Output;
using Postern.Commands.Queue;
using Postern.Commands.Sendmail;
using Postern.Commands.Sessions;
using Postern.Commands.Suspending;
using Postern.Commands.Try;
using Postern.Relay.Accounts;
using Postern.Relay.Spool;

namespace Postern.Commands;

/// <summary>Every command of <c>postern</c>, and how a command line becomes an exit code.</summary>
internal static class PosternCommands
{
    public static RootCommand Create(CommandContext context)
    {
        var root = new RootCommand(
            "Authenticates the client, decides what it may send, explains every decision, and never loses the message.")
        {
            context.ConfigFile,
            ServeCommand.Create(context),
            InitCommand.Create(context),
            CheckCommand.Create(context),
            TryCommand.Create(context),
            AccountCommand.Create(context),
            CredentialCommand.Create(context),
            OperatorCommand.Create(context),
            KeyCommand.Create(context),
            AuthCommand.Create(context),
            PasswdCommand.Create(context),
            HashCommand.Create(context),
            OAuthCommand.Create(context),
            DomainCommand.Create(context),
            NetworkCommand.Create(context),
            DkimCommand.Create(context),
            ExplainCommand.Create(context),
            PolicyCommand.Create(context),
            TlsCommand.Create(context),
            ShapingCommand.Create(context),
            QueueCommand.Create(context),
            SessionCommand.Create(context),
            LimitsCommand.Create(context),
            LoginsCommand.Create(context),
            SuspendCommand.Create(context),
            ResumeCommand.Create(context),
            SuppressionCommand.Create(context),
            LogCommand.Create(context),
            SendmailCommand.Create(context),
            StatusCommand.Create(context),
            ReloadCommand.Create(context),
            BackupCommand.Create(context),
            CompletionCommand.Create(context),
        };
        if (root.Options.OfType<HelpOption>().FirstOrDefault() is { Action: HelpAction usual } help)
        {
            usual.MaxWidth = context.Terminal.Width;
            help.Action = new ExamplesHelp(usual);
        }
        return root;
    }

    /// <summary>
    /// Parses and runs <paramref name="args"/>. Wrong usage, and whatever breaks on the way, ends in two lines and an exit code.
    /// </summary>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        if (SendmailCommand.ArgumentsOf(args) is { } words)
            return await SendmailCommand.RunAsync(words, terminal, clock, ct);
        var result = Create(new CommandContext(terminal, clock))
            .Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        // Help takes the errors of a command line away; for a word that is no command there is no help. Completion asks about words that
        // are none yet.
        if (result.Action is ParseErrorAction
            || (result.UnmatchedTokens.Count > 0 && !result.Tokens.Any(static t => t.Type == TokenType.Directive)))
            return Refuse(result, terminal);
        try
        {
            return await result.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = terminal.Output,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                }, ct);
        }
        catch (DirectoryUnavailableException e)
        {
            return terminal.Fail(
                e.Message,
                "See whether the file is there, whether this user may write it, and whether another program holds it; then try again.");
        }
        catch (SpoolUnavailableException e)
        {
            return terminal.Fail(e.Message, "If a server is starting or stopping, try again in a moment.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return terminal.Fail(
                e.Message, "See whether this user may read and write there, and whether the disk has room; then try again.");
        }
    }

    private static int Refuse(ParseResult result, Terminal terminal)
    {
        var command = OwnerOfTheProblem(result);
        var path = PathOf(command);
        var todo = $"Run '{path} --help' to see what it takes.";
        if (result.UnmatchedTokens is [var unknown, ..])
        {
            var known = command.Subcommands.Select(static c => c.Name)
                .Concat(command.Options.Where(static o => !o.Hidden).Select(static o => o.Name));
            var what = command.Subcommands.Count > 0 && !unknown.StartsWith('-') ? "command"
                : unknown.StartsWith('-') ? "option"
                : "argument";
            return terminal.Fail($"{path} has no {what} '{unknown}'{NearestName.Hint(unknown, known)}", todo, ExitCode.Usage);
        }

        if (command.Subcommands.Count > 0 && command.Action is null)
            return terminal.Fail(
                $"{path} needs a command: {string.Join(", ", command.Subcommands.Select(static c => c.Name))}", todo, ExitCode.Usage);
        return terminal.Fail($"{path}: {OneLine(result.Errors[0].Message)}", todo, ExitCode.Usage);
    }

    /// <summary>
    /// The command to which an unknown word was said: the parser goes on behind it and may find a command of another level.
    /// </summary>
    private static Command OwnerOfTheProblem(ParseResult result)
    {
        var owner = result.CommandResult;
        if (result.UnmatchedTokens is not [var unknown, ..])
            return owner.Command;
        var tokens = result.Tokens.ToList();
        var at = tokens.FindIndex(t => t.Value == unknown);
        while (owner.Parent is CommandResult parent && owner.IdentifierToken is { } name && at < tokens.IndexOf(name))
            owner = parent;
        return owner.Command;
    }

    /// <summary>The parser's own messages have line ends and tabs.</summary>
    private static string OneLine(string message) => string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string PathOf(Command command) =>
        command is RootCommand ? "postern" : $"{PathOf(command.Parents.OfType<Command>().First())} {command.Name}";
}
