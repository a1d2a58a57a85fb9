using Postern.Sasl;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>What a server is made of. Read once, at start.</summary>
public sealed record SmtpServerOptions
{
    /// <summary>The name in the greeting, in EHLO and in Received; a domain or an address literal.</summary>
    public required string Hostname { get; init; }

    public required IReadOnlyList<SmtpListenerOptions> Listeners { get; init; }

    /// <summary>Decides senders and recipients. There is no default: a server without a policy would be an open relay.</summary>
    public required IEnvelopePolicy Policy { get; init; }

    public required IMessageStore Store { get; init; }

    public ISmtpEvents Events { get; init; } = NoEvents.Instance;

    /// <summary>Needed by every listener that is not <see cref="TlsMode.None"/>.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>The verifiers that mechanisms may use. Without any, AUTH is not offered.</summary>
    public SaslContext Sasl { get; init; } = new();

    public IReadOnlyList<ISaslMechanism> Mechanisms { get; init; } = SaslMechanisms.All;

    public SessionLimits Limits { get; init; } = new();

    public int MaxConnections { get; init; } = 20_000;

    public int MaxConnectionsPerAddress { get; init; } = 50;

    /// <summary>
    /// TLS handshakes that may compute at once, over all listeners; others wait their turn within <see cref="SessionLimits.Handshake"/>. A client that
    /// is waited for does not count. By default one for each processor, at least two: more make no handshake faster and sessions slower.
    /// </summary>
    public int MaxHandshakes { get; init; } = Math.Max(2, Environment.ProcessorCount);

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
