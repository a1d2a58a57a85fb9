namespace Postern.Smtp.Transport;

/// <summary>More octets in a handshake than any honest one has. A type of its own, so that it is not taken for a connection that was lost.</summary>
internal sealed class HandshakeTooLongException(int most) : IOException($"the other side said more than {most} octets in its handshake");
