using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Postern.Relay.Accounts.Stores;

/// <summary>The keys by which mail of one domain is signed now, as the database keeps them; one object while nothing changed.</summary>
internal sealed record SigningKeys(ImmutableArray<SigningKeyRow> Active)
{
    public static SigningKeys Read(SqliteConnection sql, string domain) =>
        new([.. SigningKeyRow.Query(sql, domain).Where(static row => row.State == SigningKeyRow.IsActive)]);

    /// <summary>Whether there is an active key of any domain.</summary>
    public static StrongBox<bool> ReadAny(SqliteConnection sql) =>
        new(sql.ExecuteScalar<long>("select exists (select 1 from dkim_keys where state = 'active')") != 0);
}

/// <summary>One key of a domain (<c>dkim_keys</c>). Times are milliseconds since 1970, UTC.</summary>
internal sealed class SigningKeyRow
{
    public const string IsPending = "pending";
    public const string IsActive = "active";
    public const string IsReplaced = "replaced";
    public const string IsRetired = "retired";

    public required string Domain { get; init; }

    public required string Selector { get; init; }

    public required string Algorithm { get; init; }

    public long Bits { get; init; }

    /// <summary>PKCS #8; null once retired.</summary>
    public byte[]? PrivateKey { get; init; }

    public required byte[] PublicKey { get; init; }

    /// <summary>One of the words above.</summary>
    public required string State { get; init; }

    public long Scheduled { get; init; }

    public long CreatedAt { get; init; }

    public long? ActivatedAt { get; init; }

    public long? ReplacedAt { get; init; }

    public long? RetiredAt { get; init; }

    /// <summary>The oldest first; all domains where <paramref name="domain"/> is null.</summary>
    public static IEnumerable<SigningKeyRow> Query(SqliteConnection sql, string? domain) => sql.Query<SigningKeyRow>(
        """
        select domain, selector, algorithm, bits, private_key as PrivateKey, public_key as PublicKey, state, scheduled,
            created_at as CreatedAt, activated_at as ActivatedAt, replaced_at as ReplacedAt, retired_at as RetiredAt
        from dkim_keys where @domain is null or domain = @domain order by domain, created_at, algorithm desc, selector
        """,
        new { domain });
}
