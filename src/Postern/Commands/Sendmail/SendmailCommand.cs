using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Drop;
using Postern.Machine;

namespace Postern.Commands.Sendmail;

/// <summary>
/// <c>postern sendmail</c>, and <c>sendmail</c> where a link has that name: leaves a message for the server, whether one runs or not. Its
/// exit codes are those that callers of such a program know (<see cref="SysExits"/>).
/// </summary>
internal static class SendmailCommand
{
    private const string Name = "sendmail";
    private const string DropVariable = "POSTERN_DROP";

    /// <summary>Where mail of all users would wait.</summary>
    private const string ForAll = "/var/spool/postern";

    private const string Help = """
        Usage: postern sendmail [option]... [recipient]...
          Reads a message from standard input and leaves it for the server, whether one runs or not.
          -t            to whom To, Cc and Bcc say, beside the recipients that are named
          -i, -oi       a line with a dot alone does not end the message
          -f ADDRESS    the envelope's sender; '' for none. Also -r
          -F NAME       the name in From, where the message has no such field
          -N WHEN       reports that are wanted: never, or some of success,failure,delay
          -R full|hdrs  how much of the message a report of a failure returns
          -V ID         the envelope id that reports carry
          -XV, -XVxy    each recipient gets it from sender+recipient=domain@..., or with x and y in the place of + and = (VERP)
          -B TYPE       7BIT or 8BITMIME
          -bs           speaks SMTP on standard input and output
          -bp           lists the queue; -q tries what waits, -qI ID, -qR TO and -qS FROM a part of it
          --            nothing behind it is an option
          --config FILE the configuration file; --drop DIR or POSTERN_DROP the drop directory, in its place
          What else is usual (-v, -O..., -o...) is taken and means nothing here.
        Exit: 0 taken, 64 wrong usage, 65 a wrong address or too large, 69 not there, 75 try later, 77 not allowed, 78 not set up.
        Examples:
          printf 'Subject: done\n\nall well\n' | postern sendmail root
          php -d sendmail_path='postern sendmail -t -i' mail.php
          ln -s /usr/bin/postern /usr/sbin/sendmail
        """;

    public static Command Create(CommandContext context)
    {
        var words = new Argument<string[]>("ARGUMENTS") { Description = "As sendmail takes them", Arity = ArgumentArity.ZeroOrMore };
        var command = new DocumentedCommand(
            Name,
            "Leave a message for the server, as programs do that call sendmail: -t -i -f -F -bs -bp -q",
            "postern sendmail root",
            "postern sendmail lisa@example.org bart@example.net").With(words);
        // What is behind its name is no command line of this program's kind, and never gets here.
        command.SetAction(
            arguments => context.Terminal.Fail("sendmail has no such options", "Run 'postern sendmail --help'.", SysExits.Usage));
        return command;
    }

    /// <summary>What stands behind the command's name where it is this command; else null.</summary>
    public static string[]? ArgumentsOf(string[] arguments) => arguments switch
    {
        [Name, .. var rest] => rest,
        ["--config", var file, Name, .. var rest] => ["--config", file, .. rest],
        _ => null,
    };

    public static async Task<int> RunAsync(string[] words, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        var (arguments, wrong) = SendmailArguments.Parse(words);
        if (arguments is null)
            return terminal.Fail($"sendmail: {wrong}", "Run 'postern sendmail --help'.", SysExits.Usage);
        if (arguments.WantsHelp)
        {
            terminal.Line(Help);
            return SysExits.Ok;
        }

        try
        {
            return arguments.Mode switch
            {
                SendmailMode.Aliases => SysExits.Ok,
                SendmailMode.List => await QueueAsync(["queue", "list"], arguments, terminal, clock, ct),
                SendmailMode.Flush => await QueueAsync(["queue", "retry", .. arguments.Flushed], arguments, terminal, clock, ct),
                _ => await LeaveAsync(arguments, terminal, clock, ct),
            };
        }
        catch (UnauthorizedAccessException e)
        {
            return terminal.Fail(
                $"sendmail: {e.Message}",
                "Users leave mail in a directory that all can reach, of mode 3733, which sendmail.drop names.",
                SysExits.NoPermission);
        }
        catch (IOException e)
        {
            return terminal.Fail($"sendmail: {e.Message}", "Nothing was taken; try again later.", SysExits.TemporaryFailure);
        }
    }

    private static async Task<int> QueueAsync(
        string[] command, SendmailArguments arguments, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        string[] configuration = arguments.ConfigFile is { } file ? ["--config", file] : [];
        return await PosternCommands.RunAsync([.. command, .. configuration], terminal, clock, ct) switch
        {
            ExitCode.Ok => SysExits.Ok,
            ExitCode.Usage => SysExits.Configuration,
            _ when arguments.Mode == SendmailMode.Flush => SysExits.Ok, // nothing waited
            _ => SysExits.Unavailable,
        };
    }

    private static async Task<int> LeaveAsync(SendmailArguments arguments, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        var error = ConfigurationFile.ReadForSendmail(arguments.ConfigFile, out var configuration);
        var named = arguments.Drop ?? Environment.GetEnvironmentVariable(DropVariable);
        if (error is not null && string.IsNullOrEmpty(named))
            return terminal.Fail(
                $"sendmail: {error}",
                $"Let every user read it (secrets belong in files of their own), or name the drop directory in {DropVariable}.",
                SysExits.Configuration);
        var place = string.IsNullOrEmpty(named) ? configuration.Sendmail.DropIn(configuration.Server.Data) : Path.GetFullPath(named);
        var caller = UserIdentity.ListedNameOf(UserIdentity.Effective)
            ?? string.Create(CultureInfo.InvariantCulture, $"uid{UserIdentity.Effective}");
        var fullName = UserIdentity.FullNameOf(UserIdentity.Effective);
        if (!configuration.Sendmail.Takes(caller))
            return terminal.Fail(
                $"sendmail: {caller} may not send mail here", "Add it to sendmail.users.", SysExits.NoPermission);
        var drop = new DropDirectory(place);
        var problem = DropWriter.Become(place, out var user);
        var data = configuration.Server.Data;
        // Its owner may be the first to need the one in the data directory; where there is no data, this is no server's machine.
        if (problem is null
            && configuration.Sendmail.Drop is null
            && place == configuration.Sendmail.DropIn(data)
            && Directory.Exists(data))
        {
            if (UserIdentity.Look(data) is { } facts && facts.User != UserIdentity.Effective)
                return NotForOthers(terminal, caller, place, UserIdentity.NameOf(facts.User));
            problem = drop.Prepare(isForAll: false);
        }

        if ((problem ?? drop.WhyNotLeft()) is { } trouble)
            return terminal.Fail($"sendmail: {trouble.What}", trouble.Todo, SysExits.Configuration);
        var letter = new LetterDesk(configuration, place, clock) { Caller = caller, FullName = fullName, As = user };
        return arguments.Mode == SendmailMode.Smtp
            ? await letter.SpeakSmtpAsync(terminal, ct)
            : await letter.LeaveAsync(arguments, terminal, ct);
    }

    /// <summary>The data directory is its owner's alone, so no mode of one in it helps another user.</summary>
    private static int NotForOthers(Terminal terminal, string caller, string place, string server) =>
        terminal.Fail(
            $"sendmail: {caller} may not leave mail in {place}, which is for {server} and root alone",
            $"As root: {DropDirectory.HowToMake(server, ForAll)}, and sendmail.drop: {ForAll} in the configuration.",
            SysExits.NoPermission);
}
