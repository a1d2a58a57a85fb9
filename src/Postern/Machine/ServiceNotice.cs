using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;

namespace Postern.Machine;

/// <summary>
/// Tells systemd how the service is, where systemd has started it with <c>Type=notify</c> (sd_notify(3)); elsewhere it tells nobody. With
/// <c>WatchdogSec=</c> it says twice in that time that the program still runs.
/// </summary>
internal sealed class ServiceNotice : IDisposable
{
    private readonly ISystemdNotifier notifier;
    private readonly TimeProvider clock;
    private readonly ITimer? watchdog;

    public ServiceNotice(TimeProvider clock)
        : this(new SystemdNotifier(), WatchdogOfThisProcess(), clock)
    {
    }

    /// <param name="watchdogInterval">What systemd waits for at most; null where it does not watch.</param>
    internal ServiceNotice(ISystemdNotifier notifier, TimeSpan? watchdogInterval, TimeProvider clock)
    {
        this.notifier = notifier;
        this.clock = clock;
        if (notifier.IsEnabled && watchdogInterval is { } interval)
            watchdog = clock.CreateTimer(_ => Say("WATCHDOG=1"), state: null, interval / 2, interval / 2);
    }

    /// <summary>It listens; or it is done with reading its files again.</summary>
    public void Ready() => Say("READY=1");

    /// <summary>It reads its files again; <see cref="Ready"/> follows.</summary>
    public void Reloading() =>
        Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"RELOADING=1\nMONOTONIC_USEC={clock.GetTimestamp() / (clock.TimestampFrequency / 1_000_000)}"));

    public void Stopping() => Say("STOPPING=1");

    public void Dispose() => watchdog?.Dispose();

    private static TimeSpan? WatchdogOfThisProcess() =>
        long.TryParse(
            Environment.GetEnvironmentVariable("WATCHDOG_USEC"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var microseconds) && microseconds > 0
        && Environment.GetEnvironmentVariable("WATCHDOG_PID") is var process && (process is null
            || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    private void Say(string state)
    {
        try
        {
            notifier.Notify(new ServiceState(state));
        }
        catch (SocketException)
        {
            // Whoever asked to be told is gone. Mail is served all the same.
        }
    }
}
