using Postern.Smtp.Grammar;

namespace Postern.Relay.Dkim.Arc;

/// <summary>How mail that is forwarded to domains of others is sealed (RFC 8617).</summary>
public sealed record ArcOptions
{
    /// <summary>It is, where there is a key; false: never.</summary>
    public bool Seals { get; init; } = true;

    /// <summary>Whose key seals where the domain that mail was for has none; null: such mail is not sealed.</summary>
    public Domain? Domain { get; init; }

    /// <summary>How long the keys of one message are waited for, all together.</summary>
    public TimeSpan LookUpTime { get; init; } = TimeSpan.FromSeconds(5);
}
