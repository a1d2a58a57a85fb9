using System.CommandLine;
using Postern.Commands.Output;
using Postern.Smtp.Grammar;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary>
/// <c>postern queue suspend</c> and <c>resume</c>: nothing is sent to a domain until it is resumed; mail for it is accepted.
/// </summary>
internal static class QueueSuspendCommand
{
    /// <param name="suspends">Else resumes.</param>
    public static Command Create(CommandContext context, bool suspends)
    {
        var name = suspends ? "suspend" : "resume";
        var domains = new Argument<string[]>("DOMAIN")
        {
            Description = "Recipient domains", Arity = suspends ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
        };
        var command = suspends
            ? new DocumentedCommand(
                name,
                "Send nothing to these domains until they are resumed; without any: list those that are suspended",
                "postern queue suspend example.com")
            : new DocumentedCommand(name, "Send to suspended domains again", "postern queue resume example.com");
        command.With(domains, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var named = arguments.GetValue(domains) ?? [];
            if (named.FirstOrDefault(static d => !Domain.TryParse(d, out _)) is { } wrong)
                return context.Terminal.Fail($"'{wrong}' is not a domain", "Name domains such as example.com.", ExitCode.Usage);
            if (await context.OpenQueueAsync(arguments, ct) is not { } queue)
                return ExitCode.Usage;
            await using (queue)
            {
                var change = await queue.SuspendAsync(named, suspends, ct);
                return context.Show(
                    arguments,
                    change,
                    ApiJson.Readable.SuspensionChange,
                    terminal => terminal.Line(
                        $"{(named.Length == 0 ? string.Empty : $"{name}: {change.Changed} changed; ")}"
                            + (change.Suspended.IsEmpty ? "nothing is suspended" : $"suspended: {string.Join(", ", change.Suspended)}")));
            }
        });
        return command;
    }
}
