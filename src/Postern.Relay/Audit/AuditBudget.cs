using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// What clients may make the log write. Of the same thing from the same place (an address, of IPv6 a /64; with a login, the login)
/// <see cref="StrangersWhole"/> or <see cref="KnownWhole"/> events a minute are written whole; the rest is counted, and one
/// <see cref="CoalescedEvent"/> tells how many. All strangers together have <see cref="StrangersOctets"/> a second and kind.
/// </summary>
internal sealed class AuditBudget : IDisposable
{
    public const int StrangersWhole = 10;

    public const int KnownWhole = 1_000;

    /// <summary>Places and things remembered of each kind; what comes beyond is counted together.</summary>
    public const int MostKeys = 1_024;

    /// <summary>Octets of a kind that strangers may cause in a second, on average.</summary>
    public const int StrangersOctets = 64 * 1024;

    /// <summary>Octets of a kind that strangers may cause at once.</summary>
    public const int StrangersBurst = 1024 * 1024;

    /// <summary>Octets a second about messages that strangers gave and that were answered 250: some 5,000 messages.</summary>
    public const int MessagesOctets = 3 * 512 * 1024;

    private const int MessagesBurst = 4 * 1024 * 1024;

    private ImmutableArray<IPNetwork> exempt;
    private readonly PerKind<AuditShare> strangers;
    private readonly AuditShare messages;
    private readonly PerKind<AuditShare> known;
    private readonly ITimer timer;

    /// <param name="exempt">Clients that count as known without a login.</param>
    /// <param name="tell">Takes what was counted; called under a lock, and must not wait.</param>
    public AuditBudget(ImmutableArray<IPNetwork> exempt, TimeProvider clock, Action<CoalescedEvent> tell)
    {
        this.exempt = exempt;
        timer = clock.CreateTimer(_ => Sweep(), state: null, Window, Window);
        strangers = new PerKind<AuditShare>(kind => new AuditShare(kind, StrangersWhole, StrangersOctets, StrangersBurst, clock, tell));
        messages = new AuditShare(AuditKind.Mail, int.MaxValue, MessagesOctets, MessagesBurst, clock, tell);
        known = new PerKind<AuditShare>(kind => new AuditShare(kind, KnownWhole, long.MaxValue, long.MaxValue, clock, tell));
    }

    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(1);

    /// <param name="changed">Clients that count as known without a login, from now on.</param>
    public void Apply(ImmutableArray<IPNetwork> changed) => ImmutableInterlocked.InterlockedExchange(ref exempt, changed);

    /// <param name="canWrite">False while nothing of this share can be written: everything is counted.</param>
    public AuditCause Ask(AuditCause cause, bool canWrite) => ShareOf(cause).Ask(cause, canWrite);

    /// <summary>From now on strangers' events of the kind are only counted, or may be written again.</summary>
    public void Stop(AuditKind kind, bool isStopped) => strangers[kind].IsStopped = isStopped;

    /// <summary>The event has this length; <see cref="Ask"/> has taken <see cref="AuditShare.Usual"/> for it.</summary>
    public void Settle(AuditCause cause, int octets) => ShareOf(cause).Settle(octets);

    /// <summary>Tells what was counted, all of it: the log is about to end.</summary>
    public void TellAll()
    {
        foreach (var share in All)
            share.Sweep(all: true);
    }

    public void Dispose() => timer.Dispose();

    private IEnumerable<AuditShare> All => [.. strangers.All, .. known.All, messages];

    private AuditShare ShareOf(AuditCause cause) =>
        !cause.IsStranger || IsExempt(cause.Client) ? known[cause.Kind] : cause.IsMessage ? messages : strangers[cause.Kind];

    private bool IsExempt(IPAddress client)
    {
        if (client.IsIPv4MappedToIPv6)
            client = client.MapToIPv4();
        foreach (var network in exempt)
        {
            if (network.Contains(client))
                return true;
        }

        return false;
    }

    private void Sweep()
    {
        foreach (var share in All)
            share.Sweep(all: false);
    }
}
