using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Transports;

namespace Postern.Relay.Delivery.Tls;

/// <summary>What has to be done about TLS towards receivers now and then, beside any delivery.</summary>
/// <param name="tell">Takes a word and its details, for the log.</param>
internal sealed class TlsUpkeep(
    SmtpDelivery delivery, TlsCounts counts, TlsReporter reporter, Action<string, string> tell, TimeProvider clock) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource closing = new();
    private Task running = Task.CompletedTask;

    public void Start() => running = Task.Run(() => RunAsync(closing.Token));

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        counts.Flush();
        closing.Dispose();
    }

    private async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Pause, clock);
        string? trouble = null;
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            try
            {
                counts.Flush();
                await delivery.RenewPoliciesAsync(ct).ConfigureAwait(false);
                await reporter.SendDueAsync(delivery.Options, ct).ConfigureAwait(false);
                trouble = null;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                // Nobody waits for this task, and the next round comes: the same trouble is told once.
                if (trouble != e.Message)
                    tell("tls-upkeep-error", e.Message);
                trouble = e.Message;
            }
        }
    }
}
