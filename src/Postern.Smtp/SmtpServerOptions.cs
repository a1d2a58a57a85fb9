using Postern.Sasl;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
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

    /// <summary>Octets that the process should stay below; null for what the runtime may have. Nearing it is overload.</summary>
    public long? MaxMemory { get; init; }

    /// <summary>What can run short beside connections and memory.</summary>
    public IReadOnlyList<IPressureGauge> Gauges { get; init; } = [];

    public LoadThresholds Load { get; init; } = new();

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
