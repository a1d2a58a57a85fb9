using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// One open connection to the directory's database. Locks are taken through the engine's own calls, because the ADO layer waits
/// for them in steps of its own and with a timeout in whole seconds; within a transaction Dapper maps rows.
/// </summary>
internal sealed class DirectoryConnection : IDisposable
{
    private readonly string path;
    private readonly TimeSpan busyTimeout;
    private readonly sqlite3_stmt dataVersion;

    private DirectoryConnection(SqliteConnection connection, SqliteDirectoryOptions options, TimeSpan patience)
    {
        Sql = connection;
        path = options.Path;
        busyTimeout = options.BusyTimeout;
        SetPatience(patience);
        Execute("pragma foreign_keys = on");
        // A container may have no place for the temporary files of a large sort; what is sorted here has room in memory.
        Execute("pragma temp_store = memory");
        Check(raw.sqlite3_prepare_v2(connection.Handle, "pragma data_version", out dataVersion));
    }

    /// <summary>How long a lock of another process is waited for.</summary>
    public TimeSpan BusyTimeout => busyTimeout;

    /// <summary>For statements within <see cref="InTransaction"/>.</summary>
    public SqliteConnection Sql { get; }

    /// <param name="patience">How long to wait for a lock; null as the options say.</param>
    public static DirectoryConnection Open(SqliteDirectoryOptions options, TimeSpan? patience = null)
    {
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = options.Path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 1,
        };
        var connection = new SqliteConnection(text.ConnectionString);
        try
        {
            connection.Open();
            return new DirectoryConnection(connection, options, patience ?? options.BusyTimeout);
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (DirectoryFaults.Translate(options.Path, options.BusyTimeout, e) is { } fault)
                throw fault;
            throw;
        }
    }

    /// <summary>Changes whenever another connection, of this or any process, has committed. A few microseconds.</summary>
    public int DataVersion()
    {
        var result = raw.sqlite3_step(dataVersion);
        var version = result == raw.SQLITE_ROW ? raw.sqlite3_column_int(dataVersion, 0) : 0;
        var reset = raw.sqlite3_reset(dataVersion);
        Check(result == raw.SQLITE_ROW ? reset : result);
        return version;
    }

    /// <summary>How long the next statements wait for a lock.</summary>
    public void SetPatience(TimeSpan patience) => Check(raw.sqlite3_busy_timeout(Sql.Handle, (int)patience.TotalMilliseconds));

    public void Execute(string sql) => Check(raw.sqlite3_exec(Sql.Handle, sql));

    /// <summary>Runs <paramref name="work"/> between BEGIN and COMMIT; anything it throws rolls back.</summary>
    /// <param name="begin"><c>begin</c> to read one state, <c>begin immediate</c> to write.</param>
    /// <param name="end"><c>commit</c>, or <c>rollback</c> for what is only tried.</param>
    public T InTransaction<T>(string begin, Func<DirectoryConnection, T> work, string end = "commit")
    {
        Execute(begin);
        try
        {
            // A plain BEGIN takes no lock yet; this question does, and waits as long as it should.
            _ = DataVersion();
            var result = work(this);
            Execute(end);
            return result;
        }
        catch (Exception e)
        {
            // The engine may have rolled back by itself; then this statement fails, and that is no news.
            _ = raw.sqlite3_exec(Sql.Handle, "rollback");
            if (DirectoryFaults.Translate(path, busyTimeout, e) is { } fault)
                throw fault;
            throw;
        }
    }

    public void Dispose()
    {
        raw.sqlite3_finalize(dataVersion);
        Sql.Dispose();
    }

    private void Check(int result)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_DONE)
            return;
        throw DirectoryFaults.Unavailable(path, busyTimeout, result, raw.sqlite3_errmsg(Sql.Handle).utf8_to_string(), inner: null);
    }
}
