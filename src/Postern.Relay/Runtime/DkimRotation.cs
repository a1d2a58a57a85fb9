using System.Globalization;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Dkim;

namespace Postern.Relay.Runtime;

/// <summary>
/// Lets keys follow each other by the calendar (<see cref="DkimOptions.Rotate"/>): makes the next one in time, says what to publish, puts
/// it to use when its turn has come and DNS shows it, and erases the old one when its mail has arrived. Until DNS shows the next key the
/// old one signs on.
/// </summary>
internal sealed class DkimRotation : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);
    private static readonly TimeSpan BetweenReminders = TimeSpan.FromDays(1);

    private readonly SqliteDirectory directory;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly CancellationTokenSource closing = new();
    private readonly Dictionary<string, DateTimeOffset> reminded = new(StringComparer.Ordinal);
    private Task looking = Task.CompletedTask;
    private volatile Settings settings;

    public DkimRotation(SqliteDirectory directory, IAuditLog audit, TimeProvider clock, DkimOptions dkim, DeliveryOptions delivery)
    {
        (this.directory, this.audit, this.clock) = (directory, audit, clock);
        settings = new Settings(dkim, delivery);
    }

    /// <summary>Looks once an hour from now on.</summary>
    public void Start() => looking = LookOnAsync();

    /// <summary>Goes on with other settings.</summary>
    public void Apply(DkimOptions dkim, DeliveryOptions delivery) => settings = new Settings(dkim, delivery);

    /// <summary>Does everything whose time has come.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        var (dkim, delivery) = settings;
        if (dkim.Rotate is not { } period)
            return;
        var dns = new DkimDns(delivery, clock);
        var commands = new DirectoryCommands(directory, clock, audit, new Operator("server")).Dkim;
        foreach (var domain in new DirectoryQueries(directory, clock).DkimKeys().GroupBy(static key => key.Domain, StringComparer.Ordinal))
        {
            var now = clock.GetUtcNow();
            var oldest = domain.Where(static key => key.State == SigningKeyRow.IsActive).Min(static key => key.ActivatedAt);
            var hasNext = domain.Any(static key => key is { State: SigningKeyRow.IsPending, IsScheduled: true });
            if (!hasNext && oldest is { } since && since + period - dkim.Announce <= now)
                Make(commands, domain.Key, since + period);
            else if (hasNext && (oldest is null || oldest + period <= now))
                await FollowAsync(commands, dns, domain.Key, now, ct).ConfigureAwait(false);
            foreach (var old in domain.Where(key => key.State == SigningKeyRow.IsReplaced && key.ReplacedAt + dkim.Overlap <= now))
            {
                if (commands.Retire(domain.Key, old.Selector) is AdminOutcome.Done)
                    Tell("dkim_retired", $"{old.RecordName} may leave DNS: its key signs no more, and is erased");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync().ConfigureAwait(false);
        await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        closing.Dispose();
    }

    private async Task LookOnAsync()
    {
        while (true)
        {
            await Task.Delay(Period, clock, closing.Token).ConfigureAwait(false);
            try
            {
                await LookAsync(closing.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (!closing.IsCancellationRequested)
            {
                // Nobody waits for this task; it is tried again an hour later.
                Tell("dkim_rotation_failed", e.Message);
            }
        }
    }

    private void Make(DkimCommands commands, string domain, DateTimeOffset turn)
    {
        if (commands.Rotate(domain, isScheduled: true) is not AdminOutcome.Done)
            return;
        foreach (var key in new DirectoryQueries(directory, clock).DkimKeys(domain).Where(static k => k.State == SigningKeyRow.IsPending))
            Tell(
                "dkim_publish",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{domain} has a new key, in use from {turn.UtcDateTime:yyyy-MM-dd} on if DNS shows it: "
                        + $"{key.RecordName} TXT {key.RecordText}"));
    }

    private async ValueTask FollowAsync(
        DkimCommands commands, DkimDns dns, string domain, DateTimeOffset now, CancellationToken ct)
    {
        var outcome = await commands.ActivateAsync(domain, dns, ct, isScheduled: true).ConfigureAwait(false);
        if (outcome is AdminOutcome.Done)
            Tell("dkim_activated", outcome.Message);
        if (outcome is AdminOutcome.Done || (reminded.TryGetValue(domain, out var last) && now - last < BetweenReminders))
            return;
        reminded[domain] = now;
        Tell("dkim_publish", $"the old key of {domain} signs on: {outcome.Message}");
    }

    private void Tell(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    private sealed record Settings(DkimOptions Dkim, DeliveryOptions Delivery);
}
