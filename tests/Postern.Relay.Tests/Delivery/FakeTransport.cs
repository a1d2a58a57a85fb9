using System.Collections.Concurrent;
using Postern.Relay.Delivery;
using Postern.Smtp.Client;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Answers attempts without a network, as the test says; asked with the next hop and the message.</summary>
internal sealed class FakeTransport(Func<NextHop, OutgoingMessage, Task<DeliveryReport>> answer) : IDeliveryTransport
{
    private readonly ConcurrentQueue<(NextHop Hop, string[] Recipients)> attempts = new();
    private int lanes;
    private int probes;

    public IReadOnlyList<(NextHop Hop, string[] Recipients)> Attempts => [.. attempts];

    public int Lanes => lanes;

    public int Probes => Volatile.Read(ref probes);

    /// <summary>What a connection without a message finds.</summary>
    public Func<NextHop, bool> IsBack { get; init; } = static _ => false;

    /// <summary>When set, what closing a lane throws.</summary>
    public Exception? CloseFailure { get; init; }

    public static Outcome Delivered { get; } = new Outcome.Delivered("fake", "250 2.0.0 Ok", Tls: null, "2.0.0") { Phase = DeliveryPhase.End, Code = 250, IsVerbatim = true };

    public static Outcome Later { get; } = new Outcome.Deferred("fake", "450 4.2.0 Later", Tls: null, "4.2.0") { Cause = DeliveryCause.Refused, Phase = DeliveryPhase.Rcpt, Code = 450, IsVerbatim = true };

    public static Outcome Never { get; } = new Outcome.Failed("fake", "550 5.1.1 No such user", Tls: null, "5.1.1") { Cause = DeliveryCause.Refused, Phase = DeliveryPhase.Rcpt, Code = 550, IsVerbatim = true };

    /// <summary>Each recipient by the word before its @: ok, later or never.</summary>
    public static FakeTransport ByLocalPart() => new((_, message) => Task.FromResult(new DeliveryReport(
        [.. message.Recipients.Select(r => r.LocalPart.StartsWith("ok", StringComparison.Ordinal) ? Delivered : r.LocalPart.StartsWith("later", StringComparison.Ordinal) ? Later : Never)], Reached: true)));

    public IDeliveryLane OpenLane(NextHop hop)
    {
        Interlocked.Increment(ref lanes);
        return new Lane(this, hop);
    }

    private sealed class Lane(FakeTransport transport, NextHop hop) : IDeliveryLane
    {
        public bool IsConnected { get; private set; }

        public async ValueTask<DeliveryReport> DeliverAsync(OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct)
        {
            transport.attempts.Enqueue((hop, [.. message.Recipients.Select(r => r.Address)]));
            var report = await transport.Answer(hop, message).WaitAsync(ct);
            IsConnected = report.Reached;
            return report;
        }

        public ValueTask<bool> ProbeAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref transport.probes);
            return new(transport.IsBack(hop));
        }

        public ValueTask DisposeAsync() => transport.CloseFailure is { } failure ? ValueTask.FromException(failure) : ValueTask.CompletedTask;
    }

    private Func<NextHop, OutgoingMessage, Task<DeliveryReport>> Answer { get; } = answer;
}
