namespace Postern.Relay.Spool;

/// <summary>
/// How long the oldest message of each condition has been here; null where there is none. One that was never tried counts from when it
/// could be: what its sender wants to be held is not late.
/// </summary>
/// <param name="Waiting">Never tried.</param>
/// <param name="Deferred">Tried before.</param>
/// <param name="Held">By an operator or by the server.</param>
/// <param name="Active">Somebody works on it now.</param>
public readonly record struct SpoolAges(TimeSpan? Waiting, TimeSpan? Deferred, TimeSpan? Held, TimeSpan? Active);

/// <summary>What a spool takes of its disk, in octets.</summary>
/// <param name="Octets">Of its files.</param>
/// <param name="Free">What this process may still take, as of the spool's last look; null before that.</param>
public readonly record struct SpoolSpace(long Octets, long? Free);
