using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// Keeps what listeners offer that name no mechanisms: every mechanism that all users can use. An import brings users who lack a form, and
/// a login gives one of them the form that was missing; so it is looked at once a second.
/// </summary>
internal sealed class OfferWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SmtpServer server;
    private readonly RelaySnapshot snapshot;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer? timer;
    private readonly Lock gate = new();
    private readonly (SmtpListenerOptions Listener, IReadOnlyList<string> Mechanisms)[] offered;

    public OfferWatch(SmtpServer server, RelaySnapshot snapshot, IAuditLog audit, TimeProvider clock)
    {
        this.server = server;
        this.snapshot = snapshot;
        this.audit = audit;
        this.clock = clock;
        offered = [.. snapshot.Server.Listeners.Where((_, i) => snapshot.Options.Listeners[i].Mechanisms is null)
            .Select(static listener => (listener, listener.Mechanisms!))];
        timer = offered.Length == 0 ? null : clock.CreateTimer(_ => Look(), state: null, Interval, Interval);
    }

    public void Dispose() => timer?.Dispose();

    private void Look()
    {
        if (!gate.TryEnter())
            return;
        try
        {
            string? said = null;
            foreach (ref var one in offered.AsSpan())
            {
                var now = snapshot.UsualOn(one.Listener);
                if (now.SequenceEqual(one.Mechanisms, StringComparer.Ordinal))
                    continue;
                one.Mechanisms = now;
                server.Offer(one.Listener, now);
                var text = string.Join(' ', now);
                if (text != said)
                    audit.Append(new ServerEvent(clock.GetUtcNow(), "mechanisms", $"what every user can use has changed: {text}"));
                said = text;
            }
        }
        finally
        {
            gate.Exit();
        }
    }
}
