using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>Which sessions are meant: those that fit everything that is set. Nothing set means every session.</summary>
public sealed record SessionFilter
{
    /// <summary>One of these; empty for any.</summary>
    public ImmutableArray<string> Ids { get; init; } = [];

    /// <summary>Logged in as this account, or by it on behalf of another.</summary>
    public string? Login { get; init; }

    /// <summary>From this network: an address, or CIDR. A text that is neither meets nothing.</summary>
    public string? Client { get; init; }

    /// <summary>Nothing is set.</summary>
    public bool IsEverything => Ids.IsDefaultOrEmpty && Login is null && Client is null;

    public bool Matches(OpenSession session) =>
        (Ids.IsDefaultOrEmpty || Ids.Contains(session.Id, StringComparer.OrdinalIgnoreCase))
        && (Login is null || IsLogin(session))
        && (Client is null || (NetworkText.TryParse(Client, out var network, out _) && network.Contains(session.ClientAddress)));

    private bool IsLogin(OpenSession session) =>
        LoginNames.TryCanonical(Login!, out var name) && (string.Equals(session.Login, name, StringComparison.Ordinal) || string.Equals(session.LoginProvenBy, name, StringComparison.Ordinal));
}
