using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Watching;
using Postern.Web.Documents;

namespace Postern.Commands.Suspending;

/// <summary><c>postern logins</c>: who sends unlike himself by what, and that it was the user all the same.</summary>
internal static class LoginsCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "logins",
            "Logins that send unlike their own history, as the rule watch_logins sees them",
            "postern logins watched",
            "postern logins forgive lisa@example.org").With(Watched(context), Forgive(context));

    private static Command Watched(CommandContext context)
    {
        var all = new Option<bool>("--all") { Description = "Also those that send as always" };
        var command = new DocumentedCommand(
            "watched", "Scores of a day with their parts, the highest first", "postern logins watched").With(all, context.Json);
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var logins = await client.WatchedAsync(arguments.GetValue(all), ct);
            return context.Show(arguments, logins, ApiJson.Readable.ImmutableArrayWatchState, terminal =>
            {
                var table = new TablePage("login", "score", "step", "last", "why");
                foreach (var login in logins)
                    table.Row(
                        login.Login,
                        login.Points.ToString(CultureInfo.InvariantCulture),
                        StepOf(login),
                        login.At == default ? "-" : TimeText.Format(login.At),
                        login.Parts.IsEmpty ? "-" : new LoginScore(login.Points, login.Parts).ToString());
                table.WriteTo(terminal, ifEmpty: "no login sends unlike itself");
            });
        }, ct));
        return command;
    }

    private static Command Forgive(CommandContext context)
    {
        var name = new Argument<string>("LOGIN") { Description = "As 'postern logins watched' has it, or an account: all its secrets" };
        var command = new DocumentedCommand(
            "forgive",
            "It was the user: where it sent from is its own from now on, what it sent is its usual, and a suspension for it ends",
            "postern logins forgive lisa@example.org").With(name, context.Json);
        command.SetAction((arguments, ct) =>
        {
            // Names are kept in canonical form; what is behind a number sign is a number.
            var text = arguments.GetValue(name)!;
            var mark = text.LastIndexOf('#');
            var owner = mark > 0 ? text[..mark] : text;
            var login = LoginNames.TryCanonical(owner, out var canonical) ? canonical + (mark > 0 ? text[mark..] : string.Empty) : text;
            return context.AskServerAsync(arguments, async client =>
            {
                var done = await client.ForgiveAsync(login, ct);
                return done.Logins.IsEmpty
                    ? context.Terminal.Fail($"no login called '{text}' has sent anything", "See who has: postern logins watched --all")
                    : context.Show(
                        arguments,
                        done,
                        ApiJson.Readable.ForgivenLogins,
                        terminal => terminal.Line(
                            $"{string.Join(", ", done.Logins)}: taken for its own; what is held: postern queue list --held"));
            }, ct);
        });
        return command;
    }

    private static string StepOf(WatchState login) => login.Step switch
    {
        WatchStep.Suspend => "suspended",
        WatchStep.Hold => "held",
        WatchStep.Throttle => "slowed",
        _ => login.IsLearning ? "new" : "-",
    };
}
