using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using MySqlConnector;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary><c>mysql://user@host/database</c>: a MySQL or MariaDB server.</summary>
internal sealed class MySqlStore : SqlDriver
{
    public static readonly AccountStoreKind Kind = new(
        "mysql",
        "mysql://app@db.example.org/app",
        StoredForms.All,
        static (context, source) => new SqlStore((SqlSource)source, new MySqlStore((SqlSource)source), context.Clock))
    {
        HasOwnKeys = true,
        Read = static (section, source) => SqlSource.ReadServer(section, source, SqlDialect.MySql),
        CommonForms = static _ => StoredForms.Password,
        WhyNot = static source => SqlSource.WhyNot(source, "mysql://app@db.example.org/app"),
        Warn = SqlSource.Warn,
    };

    /// <summary>ER_STATEMENT_TIMEOUT of MariaDB.</summary>
    private const MySqlErrorCode StatementTimeout = (MySqlErrorCode)1969;

    /// <summary>ER_ACCESS_DENIED_NO_PASSWORD_ERROR: the user logs in there in another way than by a password.</summary>
    private const MySqlErrorCode AccessDeniedWithoutPassword = (MySqlErrorCode)1698;

    private readonly Lazy<MySqlDataSource> pool;

    private MySqlStore(SqlSource source) => pool = new(() => Build(source));

    /// <summary>Its usual collations pass over case, accents and spaces at the end.</summary>
    public override bool ComparesExactly => false;

    public override DbConnection Connect() => pool.Value.CreateConnection();

    public override void AddUser(DbCommand command, string user) =>
        ((MySqlCommand)command).Parameters.Add(new MySqlParameter(SqlQuery.Parameter, MySqlDbType.VarChar) { Value = user });

    /// <summary>A statement that is not prepared has its parameters written into its text.</summary>
    public override Task PrepareAsync(DbCommand command, CancellationToken ct) => command.PrepareAsync(ct);

    /// <summary>
    /// A command that hears of its end opens a second connection to end the first, and blocks a thread for that. What nobody waits for any
    /// more is left to the limits of the server and of the socket, and its connection to nobody else until then.
    /// </summary>
    public override CancellationToken TokenOfCommands(CancellationToken ct) => CancellationToken.None;

    public override async Task<T> RunAsync<T>(Func<Task<T>> ask, CancellationToken ct)
    {
        var asked = ask();
        try
        {
            return await asked.WaitAsync(ct);
        }
        catch (OperationCanceledException) when (!asked.IsCompleted)
        {
            _ = ForgetAsync(asked);
            throw;
        }
    }

    public override bool WasDead(Exception e) =>
        e is IOException
            or MySqlException { ErrorCode: MySqlErrorCode.ServerShutdown }
            or MySqlException
            {
                ErrorCode: not (MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.UnableToConnectToHost),
                InnerException: IOException or SocketException or ObjectDisposedException,
            };

    public override void Clear()
    {
        using var connection = pool.Value.CreateConnection();
        _ = ForgetAsync(MySqlConnection.ClearPoolAsync(connection));
    }

    public override void Dispose()
    {
        if (pool.IsValueCreated)
            pool.Value.Dispose();
    }

    /// <summary>Faults of the connection, of rights and of the statement; those of values quote the values.</summary>
    protected override string? TextOf(DbException e) => ((MySqlException)e).ErrorCode switch
    {
        MySqlErrorCode.AccessDenied or AccessDeniedWithoutPassword or MySqlErrorCode.DatabaseAccessDenied
            or MySqlErrorCode.UnknownDatabase or MySqlErrorCode.BadFieldError or MySqlErrorCode.NoSuchTable or MySqlErrorCode.ParseError
            or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied or MySqlErrorCode.TooManyUserConnections
            or MySqlErrorCode.ConnectionCountError or MySqlErrorCode.HostIsBlocked or MySqlErrorCode.HostNotPrivileged => e.Message,
        MySqlErrorCode.UnableToConnectToHost => $"it cannot be reached: {e.Message}",
        MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted or MySqlErrorCode.QueryTimeout or StatementTimeout
            => "it does not answer in time",
        var code => string.Create(CultureInfo.InvariantCulture, $"it answers with error {(int)code} ({code})"),
    };

    protected override SqlFault FaultOf(DbException e) => ((MySqlException)e).ErrorCode switch
    {
        MySqlErrorCode.NoSuchTable => SqlFault.NoTable,
        MySqlErrorCode.BadFieldError => SqlFault.NoColumn,
        MySqlErrorCode.UnknownDatabase => SqlFault.NoDatabase,
        MySqlErrorCode.AccessDenied or AccessDeniedWithoutPassword => SqlFault.NotLoggedIn,
        MySqlErrorCode.DatabaseAccessDenied or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied => SqlFault.MayNotRead,
        MySqlErrorCode.ParseError => SqlFault.NoStatement,
        _ => SqlFault.Other,
    };

    /// <summary>Waits for it, so that what it throws is thrown at somebody.</summary>
    private static async Task ForgetAsync(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static MySqlDataSource Build(SqlSource source)
    {
        var (address, terms) = (source.Address!, source.Terms);
        var seconds = (uint)Math.Max(1, Math.Ceiling(terms.Timeout.TotalSeconds));
        var settings = new MySqlConnectionStringBuilder
        {
            Server = source.Socket ?? address.Host,
            ConnectionProtocol = source.Socket is null ? MySqlConnectionProtocol.Sockets : MySqlConnectionProtocol.UnixSocket,
            Database = address.Database,
            UserID = address.User,
            Password = source.Password?.Reveal() ?? string.Empty,
            ApplicationName = "postern",
            MaximumPoolSize = (uint)terms.MostQuestions,
            ConnectionTimeout = seconds,
            DefaultCommandTimeout = seconds,
            CancellationTimeout = -1, // the socket is closed: nothing is asked of a server that does not answer
            Keepalive = 30,
            AutoEnlist = false,
            ConnectionReset = false, // there is nothing to reset, and what is prepared stays so
            ConvertZeroDateTime = true,
            GuidFormat = MySqlGuidFormat.None, // 36 characters are text
            ServerRedirectionMode = MySqlServerRedirectionMode.Disabled,
            AllowPublicKeyRetrieval = source.Socket is not null || address.IsThisMachine,
            SslMode = source.Tls switch
            {
                SqlTls.None => MySqlSslMode.None,
                SqlTls.Opportunistic => MySqlSslMode.Preferred,
                _ => MySqlSslMode.Required, // what is asked of the certificate stands below
            },
        };
        if (source.Socket is null && address.Port is { } port)
            settings.Port = (uint)port;
        var builder = new MySqlDataSourceBuilder(settings.ConnectionString);
        if (source.Tls == SqlTls.Verify)
            builder.UseRemoteCertificateValidationCallback(new ServerTrust(StoreTrust.Policy(source.Authorities)).Accept);
        builder.UseConnectionOpenedCallback((opened, _) => LimitAsync(opened, terms.Timeout));
        return builder.Build();
    }

    /// <summary>The server ends what nobody waits for any more.</summary>
    private static async ValueTask LimitAsync(MySqlConnectionOpenedContext opened, TimeSpan most)
    {
        if (!opened.Conditions.HasFlag(MySqlConnectionOpenedConditions.New))
            return;
        await using var command = opened.Connection.CreateCommand();
        command.CommandText = opened.Connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
            ? string.Create(CultureInfo.InvariantCulture, $"set session max_statement_time = {most.TotalSeconds:0.###}")
            : string.Create(CultureInfo.InvariantCulture, $"set session max_execution_time = {(long)most.TotalMilliseconds}");
        await command.ExecuteNonQueryAsync();
    }
}
