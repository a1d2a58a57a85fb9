using System.Data.Common;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary><c>postgres://user@host/database</c>: a PostgreSQL server.</summary>
internal sealed class PostgresStore : SqlDriver
{
    public static readonly AccountStoreKind Kind = new(
        "postgres",
        "postgres://app@db.example.org/app",
        StoredForms.All,
        static (context, source) => new SqlStore((SqlSource)source, new PostgresStore((SqlSource)source), context.Clock))
    {
        HasOwnKeys = true,
        SharesKeysWith = ["mysql"],
        Read = static (section, source) => SqlSource.ReadServer(section, source, SqlDialect.Standard),
        CommonForms = static _ => StoredForms.Password,
        WhyNot = static source => SqlSource.WhyNot(source, "postgres://app@db.example.org/app"),
        Warn = SqlSource.Warn,
    };

    private readonly Lazy<NpgsqlDataSource> pool;

    private PostgresStore(SqlSource source) => pool = new(() => Build(source));

    public override DbConnection Connect() => pool.Value.CreateConnection();

    /// <summary>Of no type: the server takes it for what it is compared with, such as <c>citext</c>.</summary>
    public override void AddUser(DbCommand command, string user) =>
        ((NpgsqlCommand)command).Parameters.Add(new NpgsqlParameter(SqlQuery.Parameter[1..], NpgsqlDbType.Unknown) { Value = user });

    public override bool WasDead(Exception e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
            or NpgsqlException { InnerException: IOException };

    public override void Clear() => pool.Value.Clear();

    public override void Dispose()
    {
        if (pool.IsValueCreated)
            pool.Value.Dispose();
    }

    /// <summary>Faults of the connection, of rights and of the statement; those of values quote the values.</summary>
    protected override string? TextOf(DbException e) => e switch
    {
        PostgresException { SqlState: ['0', '8', ..] or ['2', '8', ..] or ['3', ..] or ['4', '2', ..] or ['5', ..] } known
            => known.MessageText,
        PostgresException => null,
        NpgsqlException { InnerException: TimeoutException } => "it does not answer in time",
        NpgsqlException { InnerException: not null } broken => $"the connection ended: {broken.InnerException!.GetType().Name}",
        _ => e.Message,
    };

    protected override SqlFault FaultOf(DbException e) => e.SqlState switch
    {
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName => SqlFault.NoTable,
        PostgresErrorCodes.UndefinedColumn => SqlFault.NoColumn,
        PostgresErrorCodes.InvalidCatalogName => SqlFault.NoDatabase,
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => SqlFault.NotLoggedIn,
        PostgresErrorCodes.InsufficientPrivilege => SqlFault.MayNotRead,
        PostgresErrorCodes.SyntaxError => SqlFault.NoStatement,
        _ => SqlFault.Other,
    };

    private static NpgsqlDataSource Build(SqlSource source)
    {
        var (address, terms) = (source.Address!, source.Terms);
        var seconds = Math.Max(1, (int)Math.Ceiling(terms.Timeout.TotalSeconds));
        var builder = new NpgsqlSlimDataSourceBuilder(new NpgsqlConnectionStringBuilder
        {
            Host = source.Socket ?? address.Host,
            Port = address.Port ?? NpgsqlConnection.DefaultPort,
            Database = address.Database,
            Username = address.User,
            Password = source.Password?.Reveal(),
            ApplicationName = "postern",
            MaxPoolSize = terms.MostQuestions,
            Timeout = seconds,
            CommandTimeout = seconds,
            CancellationTimeout = 1000,
            TcpKeepAlive = true,
            Enlist = false,
            GssEncryptionMode = GssEncryptionMode.Disable,
            SslMode = source.Tls switch
            {
                SqlTls.None => SslMode.Disable,
                SqlTls.Opportunistic => SslMode.Prefer,
                _ => SslMode.Require, // what is asked of the certificate stands below
            },
        }.ConnectionString);
        builder.EnableTransportSecurity();
        builder.EnableArrays();
        if (source.Tls == SqlTls.Verify)
        {
            var trust = new ServerTrust(StoreTrust.Policy(source.Authorities));
            builder.UseSslClientAuthenticationOptionsCallback(options => options.RemoteCertificateValidationCallback = trust.Accept);
        }

        // The server ends what nobody waits for any more.
        var limit = string.Create(CultureInfo.InvariantCulture, $"set statement_timeout = {(long)terms.Timeout.TotalMilliseconds}");
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var command = new NpgsqlCommand(limit, connection);
                command.ExecuteNonQuery();
            },
            async connection =>
            {
                await using var command = new NpgsqlCommand(limit, connection);
                await command.ExecuteNonQueryAsync();
            });
        return builder.Build();
    }
}
