using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Policy.Limits;
using Postern.Web.Documents;

namespace Postern.Commands.Limits;

/// <summary><c>postern limits</c>: what is used of them now; exit 1 where a name has none.</summary>
internal static class LimitsCommand
{
    private const int MostRows = 50;

    public static Command Create(CommandContext context)
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "A login, credential, tenant, address, network or domain; all that have used something where it is left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new DocumentedCommand(
            "limits",
            "What is used of the limits of logins, clients and domains, the fullest first; raise one for a while",
            "postern limits",
            "postern limits lisa@example.org",
            "postern limits raise lisa@example.org messages 1000/1h --for 2h",
            "postern limits undo lisa@example.org").With(
            name, context.Json, LimitsRaiseCommand.Create(context), LimitsUndoCommand.Create(context));
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var who = arguments.GetValue(name);
            var uses = await client.LimitsAsync(who, ct);
            if (uses.IsEmpty && who is not null)
                return context.Terminal.Fail(
                    $"'{who}' has no limits", "See limits in postern.yaml, and who has used something: postern limits");
            return context.Show(arguments, uses, ApiJson.Readable.ImmutableArrayLimitUse, terminal =>
            {
                var table = new TablePage("whose", "what", "used", "limit", "state");
                foreach (var use in uses.Take(MostRows))
                {
                    var isBytes = use.What == LimitThing.Bytes.Word();
                    table.Row(
                        use.Name,
                        $"{use.Of}.{use.What}",
                        isBytes ? SizeText.Format(use.Used) : use.Used.ToString(CultureInfo.InvariantCulture),
                        use.Limit,
                        StateOf(use, context.Clock.GetUtcNow()));
                }

                table.WriteTo(terminal, ifEmpty: "nothing is used of any limit");
                if (uses.Length > MostRows)
                    terminal.Line(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"and {uses.Length - MostRows} more, less used: --json has all"));
            });
        }, ct));
        return command;
    }

    private static string StateOf(LimitUse use, DateTimeOffset now)
    {
        var state = use.State switch
        {
            LimitStanding.Over when use.FreesAt is { } at => $"over, free in {WindowLimit.Wait(at - now)}",
            LimitStanding.Over => "over",
            LimitStanding.Near => "near",
            _ => "-",
        };
        return use.RaisedUntil is not { } until ? state
            : $"{(state == "-" ? string.Empty : $"{state}; ")}raised until {TimeText.Format(until)}";
    }
}
