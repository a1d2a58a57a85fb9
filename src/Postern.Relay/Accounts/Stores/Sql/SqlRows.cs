using System.Collections.Immutable;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>
/// The answer to a query as a user: a row for each secret. Columns are known by their names, and those that are not known are passed over.
/// What cannot be read is no answer, and never a user with less.
/// </summary>
internal sealed class SqlRows
{
    private const int MostRows = 100;
    private const int MostCharacters = 1 << 16;

    private readonly string user;
    private readonly bool mustName;
    private readonly ImmutableArray<StoredCredential>.Builder credentials = ImmutableArray.CreateBuilder<StoredCredential>();
    private readonly SortedSet<string> addresses = new(StringComparer.Ordinal);
    private readonly SortedSet<string> domains = new(StringComparer.Ordinal);
    private string? name;
    private string? tenant;
    private bool isDisabled;
    private bool hasAddresses;
    private int count;

    private SqlRows(string user, bool mustName) => (this.user, this.mustName) = (user, mustName);

    /// <param name="mustName">Whose account it is must be said: it may have been found by another spelling of its name.</param>
    public static async ValueTask<LoginAnswer> ReadAsync(DbDataReader reader, string user, bool mustName, CancellationToken ct)
    {
        string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetName(i).ToLowerInvariant())];
        if (columns is [_])
            columns = ["password"];
        if (!columns.Contains("password"))
            return new LoginAnswer.Unavailable($"its query has no column password; it has: {string.Join(", ", columns)}");
        if (mustName && !columns.Contains("name"))
            return new LoginAnswer.Unavailable(
                $"its query has no column name, to say whose account it is; it has: {string.Join(", ", columns)}");
        var rows = new SqlRows(user, mustName);
        while (await reader.ReadAsync(ct))
        {
            if (rows.Add(reader, columns) is { } problem)
                return new LoginAnswer.Unavailable(problem);
        }

        return rows.count == 0 ? StoredLogin.Nobody : rows.ToLogin().ToAnswer();
    }

    /// <summary>What is wrong with the row, or null.</summary>
    private string? Add(DbDataReader reader, string[] columns)
    {
        if (++count > MostRows)
            return string.Create(CultureInfo.InvariantCulture, $"its query finds more than {MostRows} rows for one user");
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i] is not ("password" or "name" or "addresses" or "domains" or "tenant" or "disabled") || reader.IsDBNull(i))
                continue;
            if (TextOf(reader.GetValue(i)) is not { Length: <= MostCharacters } text)
                return $"column {columns[i]}: it is no text, or longer than 64 KiB";
            var problem = columns[i] switch
            {
                "password" => AddPassword(text),
                "name" => SetName(text),
                "addresses" => AddAddresses(text),
                "domains" => AddDomains(text),
                "tenant" => Set(ref tenant, text),
                _ => Disable(text),
            };
            if (problem is not null)
                return $"column {columns[i]}: {problem}";
        }

        return mustName && name is null ? "column name: it is null, and then nobody knows whose account it is" : null;
    }

    private string? AddPassword(string stored)
    {
        if (stored.Length > 0)
            credentials.Add(new StoredCredential(
                count.ToString(CultureInfo.InvariantCulture),
                FileStore.ReadLine($"x:{stored}").Hash ?? PasswordHash.Parse(stored),
                ExpiresAt: null));
        return null;
    }

    /// <summary>Two names are two users, and then nobody knows whose password it is.</summary>
    private string? SetName(string text)
    {
        if (!LoginNames.TryCanonical(text, out var canonical))
            return "it is no name that an account can have";
        return Set(ref name, canonical) is null ? null : "the query finds more than one account for one user";
    }

    private static string? Set(ref string? value, string text)
    {
        value ??= text;
        return value == text ? null : "it is not the same in all rows";
    }

    private string? AddAddresses(string text)
    {
        hasAddresses = true;
        foreach (var one in Words(text))
        {
            if (!Mailbox.TryParse(one, out var mailbox))
                return "something in it is no address";
            addresses.Add(mailbox.Canonical);
        }

        return null;
    }

    private string? AddDomains(string text)
    {
        foreach (var one in Words(text))
        {
            if (!Domain.TryParse(one, out var domain))
                return "something in it is no domain";
            domains.Add(domain.Text.ToLowerInvariant());
        }

        return null;
    }

    /// <summary>What is there and does not say no says yes, such as a moment.</summary>
    private string? Disable(string text)
    {
        isDisabled |= text.ToLowerInvariant() is not ("" or "0" or "f" or "false" or "n" or "no");
        return null;
    }

    /// <summary>Where all of its secrets are what another system would call locked, the user is disabled here too.</summary>
    private StoredLogin ToLogin()
    {
        var disabled = isDisabled
            || (credentials.Count > 0 && credentials.All(static c => c.Hash is UnknownHash && ForeignHash.IsLocked(c.Hash.Stored)));
        var own = Account.Of(name ?? user, !disabled);
        return new StoredLogin(user, disabled ? StoredLogin.Disabled : null, credentials.ToImmutable())
        {
            IsDisabled = disabled,
            Account = own with
            {
                Addresses = hasAddresses ? [.. addresses] : own.Addresses,
                Domains = [.. domains],
                Tenant = tenant,
            },
        };
    }

    private static string[] Words(string text) =>
        text.Split([',', ';', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static string? TextOf(object value) => value switch
    {
        string text => text,
        byte[] octets => System.Text.Unicode.Utf8.IsValid(octets) ? Encoding.UTF8.GetString(octets) : null,
        string[] texts => string.Join(',', texts),
        IConvertible plain => plain.ToString(CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
