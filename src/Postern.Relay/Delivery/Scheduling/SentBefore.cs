using System.Runtime.CompilerServices;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// What was lately sent where. A message whose trace names one that was sent to the same next hop for the same recipient has come round: it
/// would do so again and again. What comes back for another recipient (a list), or goes on to another next hop (a filter), has not. An
/// older one gives way, and then the number of hops ends it.
/// </summary>
internal sealed class SentBefore(RecentMarks marks)
{
    public const int Slots = 32 * 1024;

    private readonly ConditionalWeakTable<NextHop, string> names = [];

    /// <summary>In memory alone.</summary>
    public SentBefore()
        : this(new RecentMarks(Slots))
    {
    }

    public void Note(QueueId id, Mailbox recipient, NextHop hop) => marks.Add(id, recipient.Address, NameOf(hop));

    public bool Has(QueueId id, Mailbox recipient, NextHop hop) => marks.Has(id, recipient.Address, NameOf(hop));

    private string NameOf(NextHop hop) => hop is NextHop.MailExchanger { Bind: null, Hello: null, Pool: null } plain
        ? plain.Domain.Text
        : names.GetValue(hop, MakeName);

    /// <summary>The same for what is the same next hop of two runs of the server; what may lead elsewhere has another.</summary>
    private static string MakeName(NextHop hop) => hop switch
    {
        NextHop.SmartHost { Login.Credentials.User: { } user } host => $"{host.Name} as {user} {host.Bind} {host.Hello} {host.Pool}",
        _ => $"{hop.Name} {hop.Bind} {hop.Hello} {hop.Pool}",
    };
}
