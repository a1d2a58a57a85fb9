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
            QueueStatsCommand.Create(context),
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
                "postern queue remove --older-than 3d --to example.com --yes"),
            QueueChangeCommand.Create(
                context,
                QueueAction.Bounce,
                "bounce",
                "Give recipients up now and tell their senders; with --to, --domain or --cause those recipients alone",
                "postern queue bounce --to example.com --cause 'user unknown' --yes",
                new("--reason") { Description = "What the senders are told", HelpName = "TEXT" }),
            QueueChangeCommand.Create(
                context,
                QueueAction.Reroute,
                "reroute",
                "Send messages another way than the routes say; without --via as they say again",
                "postern queue reroute --to example.com --via smtp://backup.example.net",
                new("--via") { Description = "As in a route: smtp://host[:port][?tls=...], smtps://host or mx", HelpName = "WAY" }),
            QueueChangeCommand.Create(
                context,
                QueueAction.Redirect,
                "redirect",
                "Send to another recipient; with --to, --domain or --cause in the place of those recipients alone",
                "postern queue redirect --to lisa@example.com --address bart@example.com --yes",
                new("--address") { Description = "The other recipient", HelpName = "ADDRESS" }),
            QueueUndoCommand.Create(context),
            QueueResendCommand.Create(context),
            QueueSuspendCommand.Create(context, suspends: true),
            QueueSuspendCommand.Create(context, suspends: false));
}
