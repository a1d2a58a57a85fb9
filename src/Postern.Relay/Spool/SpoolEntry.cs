using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>One message in the spool as it stands now. <paramref name="Size"/> is the content in octets.</summary>
public sealed record SpoolEntry(Envelope Envelope, long Size, DeliveryState State);
