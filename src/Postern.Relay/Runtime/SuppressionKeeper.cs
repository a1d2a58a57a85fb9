using System.Globalization;
using System.Threading.Channels;
using Dapper;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;

namespace Postern.Relay.Runtime;

/// <summary>
/// Writes addresses that bounced for good onto the suppression list, where that is configured: many in one transaction, as every change of
/// the database makes all that is known of accounts be read again. What a crash takes out of a batch bounces once more.
/// </summary>
internal sealed class SuppressionKeeper : IAsyncDisposable
{
    /// <summary>Beyond these the next ones are left to their next bounce.</summary>
    private const int MostWaiting = 10_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly SqliteDirectory directory;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly Channel<HardBounce> bounces = Channel.CreateBounded<HardBounce>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly CancellationTokenSource closing = new();
    private readonly Task writing;
    private TimeSpan? lasts;
    private int left;

    public SuppressionKeeper(SqliteDirectory directory, IAuditLog audit, TimeProvider clock)
    {
        (this.directory, this.audit, this.clock) = (directory, audit, clock);
        writing = Task.Run(RunAsync);
    }

    /// <param name="ttl">How long an address that bounces is kept from mail; null: it is not.</param>
    public void Apply(TimeSpan? ttl) => lasts = ttl;

    /// <summary>Of the scheduler, for each recipient that was refused for a reason that stays.</summary>
    public void Note(HardBounce bounce)
    {
        if (lasts is not null && !bounces.Writer.TryWrite(bounce))
            Interlocked.Increment(ref left);
    }

    public async ValueTask DisposeAsync()
    {
        bounces.Writer.TryComplete();
        await closing.CancelAsync();
        await writing;
        closing.Dispose();
    }

    private async Task RunAsync()
    {
        while (await bounces.Reader.WaitToReadAsync())
        {
            try
            {
                await Task.Delay(Pause, clock, closing.Token);
            }
            catch (OperationCanceledException)
            {
                // The end: what is here is written.
            }

            var batch = new List<HardBounce>();
            while (bounces.Reader.TryRead(out var bounce))
                batch.Add(bounce);
            Write(batch);
            if (Interlocked.Exchange(ref left, 0) is > 0 and var many)
                audit.Append(new ServerEvent(clock.GetUtcNow(), "suppression-error", string.Create(
                    CultureInfo.InvariantCulture,
                    $"{many} addresses bounced while {MostWaiting} waited to be written: they are suppressed when they bounce again")));
        }
    }

    private void Write(List<HardBounce> batch)
    {
        var now = clock.GetUtcNow();
        var expires = lasts is { } span ? now + span : now;
        try
        {
            directory.Write(sql =>
            {
                sql.Execute("delete from suppressions where expires_at < @now", new { now = now.ToUnixTimeMilliseconds() });
                return sql.Execute(
                    """
                    insert into suppressions (address, tenant, reason, added_at, expires_at)
                    values (@address, @tenant, @reason, @at, @until)
                    on conflict (address, tenant) do update set expires_at = max(expires_at, excluded.expires_at)
                    """,
                    batch.Select(one => new
                    {
                        address = one.Recipient.Canonical,
                        tenant = one.Tenant?.ToLowerInvariant() ?? string.Empty,
                        reason = $"{one.Category}: {one.Reply}",
                        at = now.ToUnixTimeMilliseconds(),
                        until = expires.ToUnixTimeMilliseconds(),
                    }));
            });
        }
        catch (Exception e)
        {
            // Nobody waits for this task: whatever it was, the next batch is tried.
            audit.Append(
                new ServerEvent(now, "suppression-error", $"{batch.Count} addresses that bounced are not suppressed: {e.Message}"));
            return;
        }

        foreach (var one in batch)
            audit.Append(new ServerEvent(now, "recipient_suppressed", string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Recipient.Canonical}{(one.Tenant is { } tenant ? $" for {tenant}" : null)} until "
                    + $"{expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {one.Category}: {one.Reply}"))
            {
                QueueId = one.QueueId.ToString(),
            });
    }
}
