using System.Collections.Immutable;
using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Audit;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue resend</c>: a message whose delivery is over and whose content is kept goes out once more.</summary>
internal static class QueueResendCommand
{
    public static Command Create(CommandContext context)
    {
        var message = new Argument<string>("ID") { Description = "The queue id, as in the 250 reply and in the log" };
        var to = new Option<string[]>("--to")
        {
            Description = "To this address, in the place of those that it was for; several are possible",
            HelpName = "ADDRESS",
            Arity = ArgumentArity.OneOrMore,
        };
        var failed = new Option<bool>("--failed") { Description = "To those alone that it did not get to" };
        var command = new DocumentedCommand(
            "resend",
            "Send a message again whose delivery is over and whose content is kept, to all that it was for",
            "postern queue resend 01JD0K3ZQ8Y6X5V4T3S2R1P0NM --failed",
            "postern queue resend 01JD0K3ZQ8Y6X5V4T3S2R1P0NM --to lisa@example.org").With(message, to, failed, context.Json);
        command.Validators.Add(result =>
        {
            if (result.GetResult(to) is { Implicit: false } && result.GetValue(failed))
                result.AddError("--to and --failed both say to whom: give one of them");
        });
        command.SetAction(async (arguments, ct) =>
        {
            var text = arguments.GetRequiredValue(message);
            if (!QueueId.TryParse(text, out var id))
                return context.Terminal.Fail($"'{text}' is not a queue id", "Take it from 'postern log mail'.", ExitCode.Usage);
            var named = ImmutableArray.CreateBuilder<Mailbox>();
            foreach (var address in arguments.GetValue(to) ?? [])
            {
                if (!Mailbox.TryParse(address, out var mailbox))
                    return context.Terminal.Fail($"'{address}' is not an address", "Name one such as lisa@example.org.", ExitCode.Usage);
                if (!named.Contains(mailbox))
                    named.Add(mailbox);
            }

            if (await context.OpenQueueAsync(arguments, ct) is not { } queue)
                return ExitCode.Usage;
            await using (queue)
            {
                var answer = await queue.ResendAsync(id, named.DrainToImmutable(), arguments.GetValue(failed), ct);
                return answer.Outcome == ResendOutcome.Sent
                    ? context.Show(
                        arguments,
                        answer,
                        ApiJson.Readable.Resending,
                        terminal => terminal.Line(
                            PrintableText.Of($"{id} is sent again as {answer.Id}, to {string.Join(", ", answer.Recipients)}")))
                    : Refuse(context.Terminal, id, answer.Outcome);
            }
        });
        return command;
    }

    private static int Refuse(Terminal terminal, QueueId id, ResendOutcome outcome) => outcome switch
    {
        ResendOutcome.InQueue => terminal.Fail(
            $"message {id} is in the queue still", $"Nothing was sent. Try it now: postern queue retry {id}"),
        ResendOutcome.NoneFailed => terminal.Fail(
            $"message {id} got to all that it was for", "Nothing was sent. Without --failed it goes to all of them again."),
        _ => terminal.Fail(
            $"the content of {id} is not kept, or no longer",
            "Nothing was sent. Whose content is kept, and for how long, say 'keep' in the configuration and 'postern account'."),
    };
}
