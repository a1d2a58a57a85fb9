using System.Data.Common;
using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
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
        Read = static (section, source) => SqlSource.ReadServer(section, source, isMySql: true),
        CommonForms = static _ => StoredForms.Password,
        WhyNot = static source => SqlSource.WhyNot(source, "mysql://app@db.example.org/app"),
        Warn = SqlSource.Warn,
    };

    private readonly Lazy<MySqlDataSource> pool;

    private MySqlStore(SqlSource source) => pool = new(() => Build(source));

    public override DbConnection Connect() => pool.Value.CreateConnection();

    public override void AddUser(DbCommand command, string user) =>
        ((MySqlCommand)command).Parameters.Add(new MySqlParameter(SqlQuery.Parameter, MySqlDbType.VarChar) { Value = user });

    /// <summary>A statement that is not prepared has its parameters written into its text.</summary>
    public override Task PrepareAsync(DbCommand command, CancellationToken ct) => command.PrepareAsync(ct);

    public override bool WasDead(Exception e) =>
        e is MySqlException { ErrorCode: MySqlErrorCode.ServerShutdown }
            or MySqlException { InnerException: IOException or EndOfStreamException }
            or MySqlEndOfStreamException;

    public override void Clear()
    {
        using var connection = pool.Value.CreateConnection();
        MySqlConnection.ClearPool(connection);
    }

    public override void Dispose()
    {
        if (pool.IsValueCreated)
            pool.Value.Dispose();
    }

    /// <summary>Faults of the connection, of rights and of the statement; those of values quote the values.</summary>
    protected override string? TextOf(DbException e) => ((MySqlException)e).ErrorCode switch
    {
        MySqlErrorCode.AccessDenied or MySqlErrorCode.DatabaseAccessDenied or MySqlErrorCode.UnknownDatabase
            or MySqlErrorCode.BadFieldError or MySqlErrorCode.NoSuchTable or MySqlErrorCode.ParseError
            or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied or MySqlErrorCode.TooManyUserConnections
            or MySqlErrorCode.ConnectionCountError or MySqlErrorCode.HostIsBlocked or MySqlErrorCode.HostNotPrivileged => e.Message,
        MySqlErrorCode.UnableToConnectToHost => "it cannot be reached",
        MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted
            => "it does not answer in time",
        var code => string.Create(CultureInfo.InvariantCulture, $"it answers with error {(int)code} ({code})"),
    };

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
            CancellationTimeout = -1, // nothing is asked of a server that does not answer
            Keepalive = 30,
            AutoEnlist = false,
            ConnectionReset = false, // there is nothing to reset, and what is prepared stays so
            ServerRedirectionMode = MySqlServerRedirectionMode.Disabled,
            AllowPublicKeyRetrieval = source.Socket is not null || address.IsThisMachine,
            SslMode = source.Tls switch
            {
                SqlTls.None => MySqlSslMode.None,
                SqlTls.Opportunistic => MySqlSslMode.Preferred,
                SqlTls.Encrypt => MySqlSslMode.Required,
                _ => MySqlSslMode.VerifyFull,
            },
        };
        if (source.Socket is null && address.Port is { } port)
            settings.Port = (uint)port;
        var builder = new MySqlDataSourceBuilder(settings.ConnectionString);
        if (source is { Tls: SqlTls.Verify, Authorities: not null })
        {
            settings.SslMode = MySqlSslMode.Required; // what is asked of the certificate stands below
            builder = new MySqlDataSourceBuilder(settings.ConnectionString);
            var trust = source.TrustPolicy();
            builder.UseRemoteCertificateValidationCallback((_, certificate, _, errors) => IsTrusted(trust, certificate, errors));
        }

        return builder.Build();
    }

    /// <summary>It bears the server's name and leads to one of the authorities of ours.</summary>
    private static bool IsTrusted(X509ChainPolicy trust, X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
            return false;
        using var chain = new X509Chain { ChainPolicy = trust.Clone() };
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }
}
