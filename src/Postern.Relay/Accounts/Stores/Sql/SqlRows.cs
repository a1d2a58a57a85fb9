using System.Data.Common;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Stores.Answers;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>
/// The answer to a query as a user: a row for each secret. Columns are known by their names, and those that are not known are passed over.
/// What cannot be read is no answer, and never a user with less.
/// </summary>
internal sealed class SqlRows
{
    private const int MostRows = 100;
    private const int MostCharacters = 1 << 16;

    private readonly UserFacts facts;
    private readonly bool mustName;
    private int count;

    private SqlRows(string user, bool mustName)
    {
        facts = new UserFacts(user, "the query finds more than one account for one user");
        this.mustName = mustName;
    }

    /// <param name="mustName">Whose account it is must be said: it may have been found by another spelling of its name.</param>
    public static async ValueTask<LoginAnswer> ReadAsync(DbDataReader reader, string user, bool mustName, CancellationToken ct)
    {
        string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetName(i).ToLowerInvariant())];
        if (columns is [_])
            columns = ["password"];
        if (!columns.Contains("password"))
            return new LoginAnswer.Unavailable(
                $"its query has no column password; it has: {string.Join(", ", columns)}; call the right one so: select ... as password");
        if (mustName && !columns.Contains("name"))
            return new LoginAnswer.Unavailable(
                $"its query has no column name, to say whose account it is; it has: {string.Join(", ", columns)}; "
                    + "call the right one so: select ... as name");
        var rows = new SqlRows(user, mustName);
        while (await reader.ReadAsync(ct))
        {
            if (rows.Add(reader, columns) is { } problem)
                return new LoginAnswer.Unavailable(problem);
        }

        return rows.count == 0 ? StoredLogin.Nobody : rows.facts.ToLogin().ToAnswer();
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
            if (Add(columns[i], text) is { } problem)
                return $"column {columns[i]}: {problem}";
        }

        return mustName && !facts.HasName ? "column name: it is null, and then nobody knows whose account it is" : null;
    }

    private string? Add(string column, string text)
    {
        switch (column)
        {
            case "name":
                return facts.SetName(text);
            case "addresses":
                return facts.AddAddresses(text);
            case "domains":
                return facts.AddDomains(text);
            case "tenant":
                return facts.SetTenant(text);
            case "disabled":
                facts.Disable(text);
                return null;
            default:
                facts.AddPassword(text);
                return null;
        }
    }

    private static string? TextOf(object value) => value switch
    {
        string text => text,
        byte[] octets => System.Text.Unicode.Utf8.IsValid(octets) ? Encoding.UTF8.GetString(octets) : null,
        string[] texts => string.Join(',', texts),
        IConvertible plain => plain.ToString(CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
