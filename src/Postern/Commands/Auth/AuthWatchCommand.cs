using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth watch</c>: logins as they come out, in plain words, until interrupted.</summary>
internal static class AuthWatchCommand
{
    /// <summary>Of the time and the space behind it.</summary>
    private const int TimeWidth = 10;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public static Command Create(CommandContext context)
    {
        var failed = new Option<bool>("--failed") { Description = "Only those that did not log in" };
        var login = new Option<string?>("--login")
        {
            Description = "Only of this login; a name that nobody has is masked in the log and cannot be found by it",
            HelpName = "NAME",
        };
        var command = new DocumentedCommand(
            "watch",
            "Follow logins as they come out, until interrupted; with --json one event a line",
            "postern auth watch --failed",
            "postern auth watch --login lisa@example.org").With(failed, login, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var query = new AuditQuery { Kinds = AuditKind.Auth, Login = arguments.GetValue(login) };
            var tail = new AuditTail(configuration.LogsDirectory, query, context.Clock);
            var (onlyFailed, json) = (arguments.GetValue(failed), arguments.GetValue(context.Json));
            if (!json)
                context.Terminal.Note(await WhereAsync(configuration.Server.Data, ct));
            await foreach (var audit in tail.FollowAsync(LookAgain, ct))
            {
                if (onlyFailed && IsLogin(audit))
                    continue;
                if (json)
                    EventJson.WriteLine(context.Terminal, audit);
                else
                    context.Terminal.Prose(PrintableText.Of(Sentence(audit)), TimeWidth);
                await context.Terminal.Output.FlushAsync(ct);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>One line: when, who, from where, what came of it, and why.</summary>
    internal static string Sentence(AuditEvent audit) => audit switch
    {
        LoginEvent login => $"{Time(login)} {Who(login)} from {login.Client} on {login.Listener} by {login.Mechanism}: {Words(login)}",
        CoalescedEvent { User: var user } many => $"{Time(many)} {(user is null ? null : $"{user}: ")}{many.ToSentence()}",
        _ => $"{Time(audit)} {string.Join("  ", audit.ToCells())}",
    };

    private static bool IsLogin(AuditEvent audit) => audit
        is LoginEvent { Outcome: AuthOutcome.Ok } or CoalescedEvent { What: "ok" };

    private static string Time(AuditEvent audit) => audit.At.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Who(LoginEvent login) =>
        login.ActingAs is { } other ? $"{login.User ?? "nobody"} as {other}" : login.User ?? "nobody";

    private static string Words(LoginEvent login) => login.Outcome switch
    {
        AuthOutcome.Ok when login.Reason is "ok" => "logged in",
        AuthOutcome.Ok => $"logged in ({login.Reason})",
        AuthOutcome.Anonymous => "let in as nobody",
        AuthOutcome.Failed => $"REFUSED (535), {login.Reason}",
        AuthOutcome.Unavailable => $"NOT ANSWERED (454), {login.Reason}",
        AuthOutcome.Cancelled => $"given up by the client, {login.Reason}",
        AuthOutcome.Malformed => $"not understood (501), {login.Reason}",
        AuthOutcome.TooWeak => $"refused by this mechanism (534), {login.Reason}",
        AuthOutcome.TransitionNeeded => $"refused until a login by PLAIN (432), {login.Reason}",
        _ => $"{EventWord.Of(login.Outcome)}, {login.Reason}",
    };

    private static async Task<string> WhereAsync(string data, CancellationToken ct)
    {
        try
        {
            await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct);
            return client is null
                ? $"no server is running on {data}; logins are shown as soon as one does (Ctrl-C ends this)"
                : "logins from now on (Ctrl-C ends this)";
        }
        catch (IOException)
        {
            return "logins from now on (Ctrl-C ends this)"; // a server runs, and this user may read its log and no more
        }
    }
}
