using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;
using SQLitePCL;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>
/// <c>sqlite:///path</c>: a file of another program, which is only read. It is opened for each question, so that one that was put in its
/// place counts at once.
/// </summary>
internal sealed class SqliteStore : SqlDriver
{
    public static readonly AccountStoreKind Kind = new(
        "sqlite",
        "sqlite:///srv/app/users.db",
        StoredForms.All,
        static (context, source) => new SqlStore((SqlSource)source, new SqliteStore((SqlSource)source), context.Clock))
    {
        HasOwnKeys = true,
        SharesKeysWith = ["postgres", "mysql"],
        Read = SqlSource.ReadFile,
        CommonForms = static _ => StoredForms.Password,
        WhyNot = static source => CredentialFile.PathOf(source.Uri) is null
            ? $"'{source.Uri}' names no file; a path is absolute: sqlite:///srv/app/users.db"
            : null,
        Warn = static source => File.Exists(CredentialFile.PathOf(source.Uri))
            ? []
            : [$"{CredentialFile.PathOf(source.Uri)}: there is no such file"],
    };

    /// <summary>The engine blocks the thread that asks: each question has one of its own, and so many run.</summary>
    private const int Places = 4;

    private readonly string text;
    private readonly SemaphoreSlim places = new(Places);

    private SqliteStore(SqlSource source) => text = new SqliteConnectionStringBuilder
    {
        DataSource = CredentialFile.PathOf(source.Uri),
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = false,
        DefaultTimeout = Math.Max(1, (int)source.Terms.Timeout.TotalSeconds), // so long is a lock waited for
    }.ConnectionString;

    public override DbConnection Connect() => new SqliteConnection(text);

    public override void AddUser(DbCommand command, string user) =>
        ((SqliteCommand)command).Parameters.AddWithValue(SqlQuery.Parameter, user);

    public override async Task<T> RunAsync<T>(Func<Task<T>> ask, CancellationToken ct)
    {
        await places.WaitAsync(ct);
        try
        {
            return await Task.Factory.StartNew(ask, ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        }
        finally
        {
            places.Release();
        }
    }

    public override CancellationTokenRegistration EndAt(DbConnection connection, CancellationToken ct) =>
        ct.UnsafeRegister(static handle => raw.sqlite3_interrupt((sqlite3)handle!), ((SqliteConnection)connection).Handle);

    /// <summary>A fault while rows are computed may quote them; one of the text comes before there are any.</summary>
    protected override string? TextOf(DbException e)
    {
        var code = ((SqliteException)e).SqliteErrorCode;
        return code switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "another program has locked the database",
            raw.SQLITE_CANTOPEN => "there is no such file, or it cannot be opened",
            raw.SQLITE_NOTADB => "the file is no database",
            raw.SQLITE_CORRUPT => "the database is damaged",
            raw.SQLITE_ERROR when e.Message.Contains("no such ", StringComparison.Ordinal)
                || e.Message.Contains("syntax error", StringComparison.Ordinal)
                => e.Message[e.Message.IndexOf('\'', StringComparison.Ordinal)..].Trim('\'', '.'),
            _ => string.Create(CultureInfo.InvariantCulture, $"it answers with error {code}"),
        };
    }

    /// <summary>The engine has one code for all faults of a statement.</summary>
    protected override SqlFault FaultOf(DbException e) =>
        ((SqliteException)e).SqliteErrorCode != raw.SQLITE_ERROR ? SqlFault.Other
        : e.Message.Contains("no such table", StringComparison.Ordinal) ? SqlFault.NoTable
        : e.Message.Contains("no such column", StringComparison.Ordinal) ? SqlFault.NoColumn
        : e.Message.Contains("syntax error", StringComparison.Ordinal) ? SqlFault.NoStatement
        : SqlFault.Other;

    public override void Dispose() => places.Dispose();
}
