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
    /// How long a client may have a message held (RFC 4865), at most 999,999,999 seconds; FUTURERELEASE announces it. Matters only where
    /// <see cref="Store"/> holds messages.
    /// </summary>
    public TimeSpan MaxHold { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// The shortest time that BY=…;R may give a message (RFC 2852 §3), in whole seconds; zero for none. DELIVERBY announces it. Matters only
    /// where <see cref="Store"/> keeps such times.
    /// </summary>
    public TimeSpan MinimumDeliverBy { get; init; } = TimeSpan.FromMinutes(1);

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
