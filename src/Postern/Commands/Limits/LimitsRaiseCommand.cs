using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Configuration.Usage;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Limits;
using Postern.Web.Documents;

namespace Postern.Commands.Limits;

/// <summary><c>postern limits raise</c>: another limit for somebody, for a while.</summary>
internal static class LimitsRaiseCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("NAME") { Description = "Whose, as 'postern limits' has it" };
        var what = WhatOf(isRequired: true);
        var limit = new Argument<string>("LIMIT") { Description = "The limit meanwhile, within the same time: 1000/1h" };
        var time = new Option<string>("--for")
        {
            Description = "How long, such as 2h; at most 31d", Required = true, HelpName = "DURATION",
        };
        var of = OfOption();
        var command = new DocumentedCommand(
            "raise",
            "Another limit for somebody, for a while; it counts at once and outlives a restart",
            "postern limits raise lisa@example.org messages 1000/1h --for 2h",
            "postern limits raise 192.0.2.0/24 recipients 9000/1d --for 1d --of networks").With(name, what, limit, time, of, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var word = arguments.GetValue(what)!;
            if (!LimitWords.TryThing(word, out var thing))
                return NoThing(context, word);
            var text = arguments.GetValue(limit)!;
            var kind = UsageLimitText.KindOf(thing);
            if (!kind.Read(text, out var meanwhile))
                return context.Terminal.Fail($"'{text}' is no limit of {word}", $"Expected {kind.Expected}.", ExitCode.Usage);
            var lasts = arguments.GetValue(time)!;
            if (!DurationText.TryParse(lasts, out var duration) || duration <= TimeSpan.Zero)
                return context.Terminal.Fail($"'{lasts}' is no duration", "Write it as 30m, 2h or 1d.", ExitCode.Usage);
            return await context.AskServerAsync(arguments, async client =>
            {
                var change = await client.RaiseLimitAsync(
                    new(
                        arguments.GetValue(name)!,
                        arguments.GetValue(of),
                        thing,
                        meanwhile.Count,
                        (long)meanwhile.Window.TotalSeconds,
                        (long)duration.TotalSeconds),
                    ct);
                if (change.Problem is { } problem)
                    return context.Terminal.Fail(problem, "See what there is: postern limits NAME");
                return context.Show(
                    arguments,
                    change,
                    ApiJson.Readable.LimitChange,
                    terminal => terminal.Line(
                        $"{change.Of} {change.Name}: {word} {change.Limit} until {TimeText.Format(change.Until!.Value)}; "
                            + $"to end it: postern limits undo {change.Name}"));
            }, ct);
        });
        return command;
    }

    public static Argument<string> WhatOf(bool isRequired)
    {
        var what = new Argument<string>("WHAT")
        {
            Description = string.Join(", ", LimitWords.AllThings.Select(static one => one.Word())),
            Arity = isRequired ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
        };
        what.CompletionSources.Add(LimitWords.AllThings.Select(static one => one.Word()).ToArray());
        return what;
    }

    public static Option<string?> OfOption() => new Option<string?>("--of")
    {
        Description = "Which, where the name may be several: logins, tenants, networks ...",
        HelpName = "SCOPE",
    }.AcceptOnlyFromAmong([.. LimitWords.AllScopes.Select(static one => one.Word())]);

    public static int NoThing(CommandContext context, string word)
    {
        var words = LimitWords.AllThings.Select(static one => one.Word()).ToList();
        return context.Terminal.Fail(
            $"'{word}' is not limited anywhere{NearestName.Hint(word, words)}", $"One of {string.Join(", ", words)}.", ExitCode.Usage);
    }
}
