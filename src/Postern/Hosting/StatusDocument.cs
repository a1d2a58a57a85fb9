using System.Collections.Immutable;

namespace Postern.Hosting;

/// <summary>One screen about a running server.</summary>
/// <param name="Data">The data directory.</param>
/// <param name="Connections">Open now.</param>
/// <param name="EventsDropped">Events that could not be written to the log since start.</param>
internal sealed record StatusDocument(
    string Version,
    string Hostname,
    DateTimeOffset StartedAt,
    string Data,
    ImmutableArray<StatusDocument.Listener> Listeners,
    int Connections,
    StatusDocument.QueueState Queue,
    StatusDocument.DeliveryState Deliveries,
    StatusDocument.CertificateState? Certificate,
    long EventsDropped)
{
    /// <param name="Address">Bound, with the real port.</param>
    internal sealed record Listener(string Name, string Address, string Tls, string Auth);

    /// <param name="Condition"><c>writable</c>, <c>full</c> or <c>failed</c>.</param>
    /// <param name="Reason">Why it is not writable.</param>
    internal sealed record QueueState(int Messages, int Held, int Deferred, string Condition, string? Reason);

    /// <param name="HeldBecause">Null while deliveries go out.</param>
    internal sealed record DeliveryState(string? HeldBecause);

    internal sealed record CertificateState(string Subject, DateTimeOffset Expires, bool IsSelfSigned);
}
