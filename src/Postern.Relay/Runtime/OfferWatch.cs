using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// Keeps what listeners offer that name no mechanisms: every mechanism that all users can use. An import brings users who lack a form, and
/// a login gives one of them the form that was missing; so it is looked at once a second. So is what stores answer themselves, which counts
/// for all listeners.
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
    private readonly Offered[] offered;

    public OfferWatch(SmtpServer server, RelaySnapshot snapshot, IAuditLog audit, TimeProvider clock)
    {
        this.server = server;
        this.snapshot = snapshot;
        this.audit = audit;
        this.clock = clock;
        offered = [.. snapshot.Server.Listeners
            .Select((listener, i) => new Offered(
                listener, listener.Mechanisms!, ElsewhereOn(listener), snapshot.Options.Listeners[i].Mechanisms is not null))
            .Where(static one => !one.IsNamed || one.Elsewhere is not null)];
        snapshot.Accounts.Look();
        timer = offered.Length == 0 && !snapshot.Accounts.HasOwnMechanisms
            ? null
            : clock.CreateTimer(_ => Look(), state: null, Interval, Interval);
    }

    public void Dispose() => timer?.Dispose();

    private void Look()
    {
        if (!gate.TryEnter())
            return;
        try
        {
            snapshot.Accounts.Look();
            string? said = null;
            foreach (ref var one in offered.AsSpan())
            {
                var now = one.IsNamed ? one.Mechanisms : snapshot.UsualOn(one.Listener);
                var elsewhere = ElsewhereOn(one.Listener);
                if (elsewhere == one.Elsewhere && now.SequenceEqual(one.Mechanisms, StringComparer.Ordinal))
                    continue;
                one = one with { Mechanisms = now, Elsewhere = elsewhere };
                server.Offer(one.Listener, now);
                if (one.IsNamed)
                    continue;
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

    /// <summary>What stores of the listener answer themselves now; null where none ever does.</summary>
    private string? ElsewhereOn(SmtpListenerOptions listener) => snapshot.Accounts.On(listener.Name).Verifiers.Elsewhere?.Signature;

    /// <param name="Elsewhere">What stores answer themselves; a name that the listener has is offered with that.</param>
    /// <param name="IsNamed">The listener names its mechanisms.</param>
    private readonly record struct Offered(
        SmtpListenerOptions Listener, IReadOnlyList<string> Mechanisms, string? Elsewhere, bool IsNamed);
}
