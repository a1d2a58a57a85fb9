using System.CommandLine;
using Postern.Relay.Policy.Limits;
using Postern.Web.Documents;

namespace Postern.Commands.Limits;

/// <summary><c>postern limits undo</c>: what was raised counts no more; exit 1 where nothing was.</summary>
internal static class LimitsUndoCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("NAME") { Description = "Whose" };
        var what = LimitsRaiseCommand.WhatOf(isRequired: false);
        var of = LimitsRaiseCommand.OfOption();
        var command = new DocumentedCommand(
            "undo", "End what was raised, of one thing or of all", "postern limits undo lisa@example.org").With(
            name, what, of, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            LimitThing? thing = null;
            if (arguments.GetValue(what) is { } word)
            {
                if (!LimitWords.TryThing(word, out var found))
                    return LimitsRaiseCommand.NoThing(context, word);
                thing = found;
            }

            return await context.AskServerAsync(arguments, async client =>
            {
                var change = await client.UndoLimitAsync(new(arguments.GetValue(name)!, arguments.GetValue(of), thing), ct);
                if (change.Problem is { } problem)
                    return context.Terminal.Fail(problem, "See what is raised: postern limits NAME");
                return context.Show(
                    arguments,
                    change,
                    ApiJson.Readable.LimitChange,
                    terminal => terminal.Line($"{change.Of} {change.Name}: {string.Join(", ", change.What)} as configured again"));
            }, ct);
        });
        return command;
    }
}
