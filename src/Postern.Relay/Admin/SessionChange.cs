namespace Postern.Relay.Admin;

/// <param name="Ended">Sessions that are ended.</param>
public sealed record SessionChange(int Ended);
