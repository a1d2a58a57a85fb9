using System.Net;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// A listener where other servers have logins checked, by Dovecot's authentication protocol: Postfix (<c>smtpd_sasl_type = dovecot</c>),
/// Exim (<c>driver = dovecot</c>) and others.
/// </summary>
public sealed record AuthListenerOptions
{
    /// <summary>As it appears in the log.</summary>
    public required string Name { get; init; }

    public required IReadOnlyList<AuthPlace> Places { get; init; }

    /// <summary>
    /// Mechanisms that show the secret are taken although the asking server does not say that its client's connection is secured.
    /// </summary>
    public bool TakesSecretsInClear { get; init; }

    /// <summary>
    /// Names, in the order of offer; null for all that every user can use. EXTERNAL is offered only where it stands here: who the client
    /// is would be the asking server's word alone. ANONYMOUS is not carried, nor are those that bind to a channel.
    /// </summary>
    public IReadOnlyList<string>? Mechanisms { get; init; }

    public IReadOnlyList<string> WithoutMechanisms { get; init; } = [];

    /// <summary>Names that are taken only where the client's connection is secured, whatever they show.</summary>
    public IReadOnlyList<string> MechanismsUnderTls { get; init; } = [];

    /// <summary>Servers that may connect by TCP; null for all.</summary>
    public IReadOnlyList<IPNetwork>? Clients { get; init; }

    /// <summary>Connections of asking servers at a time; one more is closed at once.</summary>
    public int MaxConnections { get; init; } = 1000;

    /// <summary>By value, that of the lists included.</summary>
    public bool Equals(AuthListenerOptions? other) =>
        other is not null
        && (Name, TakesSecretsInClear, MaxConnections) == (other.Name, other.TakesSecretsInClear, other.MaxConnections)
        && Places.SequenceEqual(other.Places) && Same(Mechanisms, other.Mechanisms)
        && WithoutMechanisms.SequenceEqual(other.WithoutMechanisms) && MechanismsUnderTls.SequenceEqual(other.MechanismsUnderTls)
        && Same(Clients, other.Clients);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, TakesSecretsInClear, Places.Count);

    private static bool Same<T>(IReadOnlyList<T>? one, IReadOnlyList<T>? other) =>
        one is null || other is null ? one is null && other is null : one.SequenceEqual(other);
}
