namespace Postern.Relay.Admin;

/// <param name="Matched">Messages that the filter met.</param>
/// <param name="Changed">Those that are now different; the others were so already, or finished meanwhile.</param>
public sealed record QueueChange(int Matched, int Changed);
