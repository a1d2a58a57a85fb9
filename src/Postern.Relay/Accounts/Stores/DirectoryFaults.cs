using System.Data;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Postern.Relay.Accounts.Stores;

/// <summary>Says in an operator's words why the database does not answer.</summary>
internal static class DirectoryFaults
{
    private const int PrimaryCode = 0xff;

    public static DirectoryUnavailableException Unavailable(
        string path, TimeSpan busyTimeout, int code, string engineSays, Exception? inner)
    {
        var cause = (code & PrimaryCode) switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => string.Create(
                CultureInfo.InvariantCulture, $"it has been locked by another process for longer than {busyTimeout.TotalSeconds:0.###} s"),
            raw.SQLITE_CORRUPT => $"it is damaged ({engineSays})",
            raw.SQLITE_NOTADB => "it is not a database",
            raw.SQLITE_CANTOPEN => "it cannot be opened: does it exist, and may this user read and write it and its folder?",
            raw.SQLITE_READONLY => "it, or its folder, is not writable for this user",
            raw.SQLITE_FULL => "the disk is full",
            _ => engineSays,
        };
        return new DirectoryUnavailableException(
            $"directory {path}: {cause}", inner ?? new InvalidOperationException($"SQLite error {code}: {engineSays}"))
        {
            IsLocked = (code & PrimaryCode) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED,
            IsDamaged = (code & PrimaryCode) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB,
        };
    }

    /// <summary>
    /// The same for what a statement threw: the engine's error, or a value that a hand put into a table and that cannot be
    /// read. Null for anything else, which is a bug.
    /// </summary>
    public static DirectoryUnavailableException? Translate(string path, TimeSpan busyTimeout, Exception e) => e switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_CONSTRAINT } => null,
        SqliteException fault => Unavailable(path, busyTimeout, fault.SqliteErrorCode, fault.Message, fault),
        DataException or FormatException or InvalidCastException or OverflowException or ArgumentOutOfRangeException =>
            new DirectoryUnavailableException($"directory {path}: a row cannot be read: {e.Message}", e),
        _ => null,
    };

    public static DirectoryUnavailableException Missing(string path) =>
        new($"directory {path}: there is no such file; 'postern init' or 'postern serve' makes it");
}
