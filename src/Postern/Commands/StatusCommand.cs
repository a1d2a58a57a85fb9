using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Relay.Accounts.Protection;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary><c>postern status</c>: one screen about the running server; exit 1 when none runs.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "status",
            "One screen about the running server; exit 1 when none runs",
            "postern status",
            "postern status --json").With(context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.FindData(arguments) is not { } data)
                return ExitCode.Usage;
            await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct);
            if (client is null)
                return context.LoadConfiguration(arguments) is null
                    ? ExitCode.Usage
                    : context.Terminal.Fail($"no server is running on {data}", "Start it: postern serve");
            var status = await client.StatusAsync(ct);
            return context.Show(
                arguments, status, ApiJson.Readable.StatusDocument, terminal => Print(terminal, status, context.Clock.GetUtcNow()));
        });
        return command;
    }

    private static void Print(Terminal terminal, StatusDocument status, DateTimeOffset now)
    {
        var page = new TablePage("what", "value")
            .Row("server", $"{status.Hostname}, postern {status.Version}, since {TimeText.Format(status.StartedAt)}")
            .Row("data", status.Data);
        if (status.Configuration is { } configuration)
        {
            page.Row("configuration", $"{configuration.Id}, {configuration.Source}, since {TimeText.Format(configuration.AppliedAt)}");
            foreach (var problem in configuration.Problems)
                page.Row("not taken", problem);
        }

        foreach (var listener in status.Listeners)
            page.Row(
                $"listener {listener.Name}",
                listener.Protocol is { } protocol
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{listener.Address}, {protocol}, auth {listener.Auth}, {listener.Connections} connections")
                    : $"{listener.Address}, tls {listener.Tls}, auth {listener.Auth}");
        foreach (var devices in status.Devices)
            page.Row($"devices {devices.Name}", devices.Text);
        foreach (var store in status.Stores)
            page.Row($"store {store.Store}", StoreText.Describe(store));
        foreach (var route in status.Deliveries.Routes)
            page.Row($"route {route.To}", route.Via);
        foreach (var (name, transactions, cause) in status.Deliveries.Waits)
            page.Row($"waits {name}", string.Create(CultureInfo.InvariantCulture, $"{transactions} transactions: {cause}"));
        foreach (var (stage, word, count) in status.Trials)
            page.Row($"on trial {word}", string.Create(CultureInfo.InvariantCulture, $"would have decided {count} times at {stage}"));
        if (status.Limits is { } limits && (limits.Near > 0 || limits.Over > 0 || limits.Lost is not null))
            page.Row(
                "limits",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{limits.Over} used up, {limits.Near} nearly: postern limits{(limits.Lost is null ? null : $"; {limits.Lost}")}"));
        foreach (var damage in status.Queue.Damage)
            page.Row("spool damage", damage);
        if (status.Queue.DamageCount > status.Queue.Damage.Length)
            page.Row("spool damage", string.Create(CultureInfo.InvariantCulture, $"{status.Queue.DamageCount} in all: postern log server"));
        page
            .Row("connections", status.Connections.ToString(CultureInfo.InvariantCulture))
            .Row(
                "load",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{status.Load.State}, {status.Load.Gauge} at {status.Load.Value:0.00}; {status.Load.TimesStressed} times stressed, "
                        + $"{status.Load.TimesFull} times full"))
            .Row(
                "since start",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{status.SinceStart.Accepted} messages accepted, {status.SinceStart.Refused} refusals; "
                        + $"{status.SinceStart.Logins} logins, {status.SinceStart.FailedLogins} failed"))
            .Row("logins", Describe(status.LoginProtection))
            .Row("passwords", StoreText.Describe(status.Passwords))
            .Row(
                "queue",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{status.Queue.Messages} messages: {status.Queue.Active} in delivery, "
                        + $"{status.Queue.Waiting} waiting for the next attempt, "
                        + $"{status.Queue.Held} "
                        + $"held{(status.Queue.HeldByServer > 0 ? $" ({status.Queue.HeldByServer} by the server after errors here: "
                        + $"postern queue list --held)" : null)}, {status.Queue.Parked} without a route"))
            .Row("spool", status.Queue.Reason is { } reason ? $"{status.Queue.Condition}: {reason}" : status.Queue.Condition)
            .Row(
                "deliveries",
                status.Deliveries.HeldBecause is { } why
                    ? $"held: {why}"
                    : string.Create(CultureInfo.InvariantCulture, $"going out over {status.Deliveries.Connections} connections"))
            .Row(
                "recipients",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{status.SinceStart.Delivered} delivered, {status.SinceStart.Failed} failed, "
                        + $"{status.SinceStart.Deferred} times deferred{Untold(status.SinceStart.Unreported)}"))
            .Row(
                "kept content",
                status.Kept is { } kept
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{kept.Messages} messages, {SizeText.Format(kept.Octets)} of {SizeText.Format(kept.Most)}")
                    : "none")
            .Row("channel binding", status.ChannelBinding ?? "none")
            .Row("certificate", status.Certificate is { } certificate ? Describe(certificate, now) : "none")
            .Row("events lost", status.EventsDropped.ToString(CultureInfo.InvariantCulture))
            .WriteTo(terminal);
    }

    private static string? Untold(long messages) =>
        messages == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"; {messages} messages of strangers failed, and nobody was told");

    private static string Describe(LoginProtectionCounts logins) => string.Create(
        CultureInfo.InvariantCulture,
        $"{logins.Delayed} waited, {logins.Closed} closed, {logins.Repeated} wrong ones known before; refused by budget: "
            + $"{logins.AccountAndNetwork} account and network, {logins.Account} account, {logins.Address} address, "
            + $"{logins.Network} network, {logins.Device} device, {logins.Crowded} too many at once");

    private static string Describe(StatusDocument.CertificateState certificate, DateTimeOffset now)
    {
        var kind = certificate.IsSelfSigned ? ", self-signed" : string.Empty;
        var end = certificate.Expires < now
            ? $"expired {TimeText.Format(certificate.Expires)}"
            : $"until {TimeText.Format(certificate.Expires)}";
        return $"{certificate.Subject}{kind}, {end}";
    }
}
