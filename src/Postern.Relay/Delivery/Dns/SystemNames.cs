using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Delivery.Dns;

/// <summary>
/// Finds hosts that an operator named as every program of this machine does: hosts file, resolver, whatever nsswitch.conf says. That
/// call blocks a thread and cannot be called off, so each has a thread of its own, a name is asked for once for all who want it, and nobody
/// waits longer than <see cref="Patience"/>. One that hangs holds up no other name.
/// </summary>
internal sealed class SystemNames(TimeProvider clock)
{
    /// <summary>Names that are asked for at a time; the call may hang for a minute each.</summary>
    private const int Most = 64;

    /// <summary>How long an answer is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Task<IPAddress[]>> asked = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How the system is asked.</summary>
    public Func<string, Task<IPAddress[]>> Ask { get; init; } = static host => Task.Factory.StartNew(
        static host => System.Net.Dns.GetHostAddresses((string)host!),
        host,
        CancellationToken.None,
        TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
        TaskScheduler.Default);

    public async ValueTask<AddressAnswer> FindAsync(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal))
            return new AddressAnswer.Found([literal]);
        Task<IPAddress[]>? answer;
        lock (gate)
        {
            if (!asked.TryGetValue(host, out answer) && asked.Count < Most)
            {
                answer = asked[host] = Ask(host);
                _ = answer.ContinueWith(
                    (_, name) =>
                    {
                        lock (gate)
                            asked.Remove((string)name!);
                    },
                    host,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }
        }

        if (answer is null)
            return new AddressAnswer.Unavailable($"Host {host}: not looked up, as the system has not answered {Most} other look-ups");
        try
        {
            return new AddressAnswer.Found([.. await answer.WaitAsync(Patience, clock, ct).ConfigureAwait(false)]);
        }
        catch (SocketException e) when (OwnShortage.WordsOf(e) is null)
        {
            return new AddressAnswer.Unavailable($"Host {host}: {e.Message}");
        }
        catch (TimeoutException)
        {
            return new AddressAnswer.Unavailable($"Host {host}: the system has not found it within {Patience.TotalSeconds:0} s");
        }
    }
}
