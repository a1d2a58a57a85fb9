using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Stores;
using CredentialRow = Postern.Relay.Accounts.Stores.DirectoryReader.CredentialRow;

namespace Postern.Relay.Admin;

/// <summary>A credential as it will be: what was said of it, and for the rest what the one has whose place it takes.</summary>
/// <param name="Replaced">That one; null for one more.</param>
internal sealed record NewCredential(
    string? Label, DateTimeOffset? ExpiresAt, bool IsApp, CredentialLimits Limits, CredentialRow? Replaced)
{
    /// <summary>False where the limits that were said are none.</summary>
    public static bool TryMake(
        SqliteConnection sql,
        AddCredential command,
        CredentialRow? replaced,
        DateTimeOffset now,
        [NotNullWhen(true)] out NewCredential? added,
        [NotNullWhen(false)] out AdminOutcome.Invalid? problem)
    {
        added = null;
        var before = replaced is null
            ? CredentialLimits.None
            : DirectoryReader.LimitsOf(replaced, DirectoryReader.LimitsOf(sql, replaced.AccountId));
        if (!command.Scope.TryApply(before, out var limits, out problem))
            return false;
        var left = replaced?.ExpiresAt is { } end && end > now.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(end)
            : (DateTimeOffset?)null;
        added = new NewCredential(
            command.Label ?? replaced?.Label,
            now + command.ExpiresAfter ?? left,
            command.IsApp || replaced is { App: not 0 },
            limits,
            replaced);
        return true;
    }
}
