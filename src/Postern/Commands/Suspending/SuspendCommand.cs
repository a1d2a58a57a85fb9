using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Policy.Suspending;
using Postern.Web.Documents;

namespace Postern.Commands.Suspending;

/// <summary><c>postern suspend</c>: an account, credential or tenant sends nothing for a while; <c>list</c> shows who does not.</summary>
internal static class SuspendCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "suspend",
            "Take no mail of an account, credential or tenant for a while; it counts at once and outlives a restart",
            "postern suspend account lisa@example.org --reason \"password stolen\" --for 7d",
            "postern suspend credential lisa@example.org#7 --reason \"printer runs wild\" --for 2h",
            "postern suspend list",
            "postern resume account lisa@example.org").With(List(context));
        foreach (var kind in Enum.GetValues<SuspendedKind>())
            command.Add(Of(context, kind));
        return command;
    }

    public static string NameOf(SuspendedKind kind) => kind switch
    {
        SuspendedKind.Credential => "One secret of an account: ACCOUNT#NUMBER, as 'postern credential list' has it",
        SuspendedKind.Tenant => "As tenants in postern.yaml has it",
        _ => "The login, of any store",
    };

    private static Command Of(CommandContext context, SuspendedKind kind)
    {
        var name = new Argument<string>("NAME") { Description = NameOf(kind) };
        var reason = new Option<string>("--reason")
        {
            Description = "Why; the client is told it", Required = true, HelpName = "TEXT",
        };
        var time = new Option<string>("--for")
        {
            Description = "How long, such as 2h or 7d; at most 366d", Required = true, HelpName = "DURATION",
        };
        var command = new DocumentedCommand(
            kind.Word(),
            $"Take no mail of this {kind.Word()} for a while",
            kind switch
            {
                SuspendedKind.Credential => "postern suspend credential lisa@example.org#7 --reason \"printer runs wild\" --for 2h",
                SuspendedKind.Tenant => "postern suspend tenant acme --reason \"unpaid bill\" --for 30d",
                _ => "postern suspend account lisa@example.org --reason \"password stolen\" --for 7d",
            }).With(name, reason, time, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var lasts = arguments.GetValue(time)!;
            if (!DurationText.TryParse(lasts, out var duration) || duration <= TimeSpan.Zero || duration > Suspension.Longest)
                return context.Terminal.Fail(
                    $"'{lasts}' is no duration up to 366d", "Write it as 30m, 2h or 7d; for good: postern account disable", ExitCode.Usage);
            var why = arguments.GetValue(reason)!;
            if (Suspension.WhyNotReason(why) is { } unfit)
                return context.Terminal.Fail(unfit, "Say it shorter, in English.", ExitCode.Usage);
            return await context.AskServerAsync(arguments, async client =>
            {
                var done = await client.SuspendSenderAsync(
                    new(kind, arguments.GetValue(name)!, why, (long)duration.TotalSeconds), ct);
                if (done.Problem is { } problem)
                    return context.Terminal.Fail(
                        problem,
                        kind == SuspendedKind.Tenant
                            ? "See tenants in postern.yaml."
                            : $"See how it is called: postern {kind.Word()} list");
                return context.Show(arguments, done, ApiJson.Readable.SenderSuspension, terminal =>
                {
                    var one = done.Suspension!;
                    terminal.Line(
                        $"{kind.Word()} {one.Name}: suspended until {TimeText.Format(one.Until)}; "
                            + $"to end it: postern resume {kind.Word()} {one.Name}");
                    if (done.Doubt is { } doubt)
                        terminal.Line($"But {doubt}");
                });
            }, ct);
        });
        return command;
    }

    private static Command List(CommandContext context)
    {
        var command = new DocumentedCommand("list", "Who is suspended, until when and why", "postern suspend list").With(context.Json);
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var all = await client.SuspendedAsync(ct);
            return context.Show(arguments, all, ApiJson.Readable.ImmutableArraySuspension, terminal =>
            {
                var table = new TablePage("whose", "until", "by", "reason");
                foreach (var one in all)
                    table.Row($"{one.Of.Word()} {one.Name}", TimeText.Format(one.Until), one.By, one.Reason);
                table.WriteTo(terminal, ifEmpty: "nobody is suspended");
            });
        }, ct));
        return command;
    }
}
