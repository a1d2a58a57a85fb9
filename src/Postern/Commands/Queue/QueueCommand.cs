using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue</c>: what waits for delivery, and what to do about it.</summary>
internal static class QueueCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "queue",
            "Messages that wait for delivery",
            "postern queue list --to example.com",
            "postern queue remove --from spammer@example.org --yes").With(
            QueueListCommand.Create(context),
            QueueShowCommand.Create(context),
            QueueExportCommand.Create(context),
            QueueChangeCommand.Create(
                context,
                QueueAction.Retry,
                "retry",
                "Try messages now, whatever the schedule says; held ones, HOLDFOR too, stay held",
                "postern queue retry --to example.com"),
            QueueChangeCommand.Create(
                context,
                QueueAction.Hold,
                "hold",
                "Try messages no more until they are released",
                "postern queue hold 01JD0K3ZQ8Y6X5V4T3S2R1P0NM"),
            QueueChangeCommand.Create(
                context,
                QueueAction.Release,
                "release",
                "Release held messages, HOLDFOR too, and try them now",
                "postern queue release --all"),
            QueueChangeCommand.Create(
                context,
                QueueAction.Remove,
                "remove",
                "Forget messages, without a bounce; asks first",
                "postern queue remove --older-than 3d --to example.com --yes"));
}
