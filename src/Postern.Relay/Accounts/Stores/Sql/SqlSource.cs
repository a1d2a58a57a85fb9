using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>An entry of <c>accounts</c> that a query answers.</summary>
internal sealed record SqlSource : AccountSource
{
    private SqlSource(AccountSource source)
        : base(source)
    {
    }

    /// <summary>One statement with <see cref="SqlQuery.Parameter"/>.</summary>
    public string Query { get; private init; } = string.Empty;

    /// <summary>Of this server's own login there; null for none.</summary>
    public Secret? Password { get; private init; }

    /// <summary>A file of certificates that are trusted there in place of the system's.</summary>
    public string? Authorities { get; private init; }

    /// <summary>A socket of this machine in place of a host.</summary>
    public string? Socket { get; private init; }

    /// <summary>Null for the usual: as sure as can be, but for this machine.</summary>
    public SqlTls? WantedTls { get; private init; }

    /// <summary>Of a server; null where the URI is none, and for a file.</summary>
    public SqlAddress? Address { get; private init; }

    public SqlTls Tls => Socket is not null
        ? SqlTls.None
        : WantedTls ?? (Address is { IsThisMachine: true } ? SqlTls.Opportunistic : SqlTls.Verify);

    /// <summary>A file that is a database.</summary>
    public static AccountSource ReadFile(IStoreSection section, AccountSource source) =>
        new SqlSource(source) { Query = ReadQuery(section, SqlDialect.Standard) };

    /// <summary>A server.</summary>
    public static AccountSource ReadServer(IStoreSection section, AccountSource source, SqlDialect dialect)
    {
        var read = new SqlSource(source)
        {
            Query = ReadQuery(section, dialect),
            Address = SqlAddress.Parse(source.Uri, out _),
            Password = section.Secret("password", "What this server logs in with there."),
            Socket = section.FilePath(
                "socket",
                "none: by TCP",
                "The server's socket on this machine, where the URI names no host: of `postgres` the directory where it is "
                    + "(`postgres://app@/app`, or `postgres://app@:5433/app` for another port), of `mysql` itself (`mysql://app@/app`)."),
            Authorities = section.FilePath(
                "ca", "the system's", "A file of certificates (PEM): the server's must lead to one of these."),
            WantedTls = section.Word<SqlTls?>(
                "tls",
                [("verify", SqlTls.Verify), ("encrypt", SqlTls.Encrypt), ("none", SqlTls.None)],
                fallback: null,
                "`verify`; on this machine TLS where the server has it",
                "`verify`: TLS, and the server's certificate is good and bears its name. `encrypt`: TLS, with whomever. `none`: in clear."),
        };
        if (read is { Address.Host: "", Socket: null })
            section.Report("uri", "it names no host: write one, or the key 'socket'");
        if (read is { Socket: not null, Address.Host: not "" })
            section.Report("socket", "the URI names a host as well: leave one of them out");
        if (read is { Socket: not null, Address.Port: not null } && dialect == SqlDialect.MySql)
            section.Report("uri", "a socket has no port");
        if (read.Authorities is not null && read.Tls != SqlTls.Verify)
            section.Report("ca", "it counts where 'tls' is 'verify' only");
        return read;
    }

    /// <summary>What is wrong with the URI of a server.</summary>
    public static string? WhyNot(AccountSource source, string example) =>
        SqlAddress.Parse(source.Uri, out var problem) is null ? $"{problem}; such as {example}" : null;

    /// <summary>What an operator should be told of the files that it names.</summary>
    public static IEnumerable<string> Warn(AccountSource source) =>
        source is SqlSource { Authorities: { } file } && StoreTrust.WhyNot(file) is { } problem ? [problem] : [];

    private static string ReadQuery(IStoreSection section, SqlDialect dialect)
    {
        var query = section.Text(
            "query",
            fallbackText: null,
            "The statement that finds a user: `@user` stands for the name, and columns are known by their names. `password`: any stored "
                + "form, or as it is (a single column may have another name); one row for each of several. Optional: `name` (in `mysql` it "
                + "must be there), `addresses`, `domains`, `tenant`, `disabled`.") ?? string.Empty;
        if (query.Length > 0 && SqlQuery.WhyNot(query, dialect) is { } problem)
            section.Report("query", problem);
        else if (query.Length > 0 && dialect == SqlDialect.MySql && !SqlQuery.MaySelect(query, "name", dialect))
            section.Report(
                "query",
                "it selects no column name: MySQL finds a name without its case and accents, so the answer has to say whose account it is, "
                    + "such as: select password, email as name from users where email = @user");
        return query;
    }
}
