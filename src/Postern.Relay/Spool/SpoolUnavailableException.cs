namespace Postern.Relay.Spool;

/// <summary>The spool cannot be opened; the message says why and what to do about it, and is fit to be shown to the operator as it is.</summary>
public sealed class SpoolUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
