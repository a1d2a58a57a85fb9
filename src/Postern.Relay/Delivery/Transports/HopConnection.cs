using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>What connecting to a next hop came to.</summary>
internal abstract record HopConnection
{
    private HopConnection()
    {
    }

    public sealed record Open(SmtpClientDialogue Dialogue, HopPlace Place) : HopConnection;

    /// <summary>No host took the connection; the outcome holds for every message.</summary>
    public sealed record Closed(Outcome Outcome) : HopConnection;
}
