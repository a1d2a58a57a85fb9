using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Admin.Import;

/// <summary>What one line of a file of another program says about one account.</summary>
/// <param name="Line">Counted from 1.</param>
public sealed record ImportEntry(string File, int Line)
{
    /// <summary>As it stands there; null where the line cannot be used.</summary>
    public string? Name { get; init; }

    /// <summary>Its stored password; null where the line holds none, or none that logs in.</summary>
    public PasswordHash? Hash { get; init; }

    /// <summary>Why it cannot log in there; null where it can.</summary>
    public string? Disabled { get; init; }

    /// <summary>It may send as these.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>It may send as any address of these.</summary>
    public ImmutableArray<string> Domains { get; init; } = [];

    /// <summary>The line is about an account that must be there already: a right, and not a user.</summary>
    public bool IsRight { get; init; }

    /// <summary>Why the line is not taken. It quotes nothing that may be a secret.</summary>
    public string? Problem { get; init; }
}
