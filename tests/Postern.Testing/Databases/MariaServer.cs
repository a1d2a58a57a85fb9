namespace Postern.Testing.Databases;

/// <summary>Debian's MariaDB.</summary>
public sealed class MariaServer() : DatabaseServer("mariadb-server", "mysql")
{
    public const string Database = "app";

    public string Socket => Path.Combine(Folder, "socket");

    private string Data => Path.Combine(Folder, "data");

    private string Beginning => Path.Combine(Folder, "begin.sql");

    protected override string? FindPrograms() => File.Exists("/usr/sbin/mariadbd") ? "/usr" : null;

    /// <summary>Its database has the collation that comes with it.</summary>
    protected override async Task MakeAsync(string programs)
    {
        await File.WriteAllTextAsync(
            Beginning,
            $"""
            create database if not exists {Database} character set utf8mb4;
            create user if not exists '{User}'@'127.0.0.1' identified by '{Password}';
            create user if not exists '{User}'@'localhost' identified by '{Password}';
            grant all on {Database}.* to '{User}'@'127.0.0.1';
            grant all on {Database}.* to '{User}'@'localhost';
            grant reload on *.* to '{User}'@'127.0.0.1';

            """);
        await OwnAsync();
        await RunAsync(
            Path.Combine(programs, "bin", "mariadb-install-db"), "--no-defaults", $"--datadir={Data}", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve");
    }

    protected override IReadOnlyList<string> CommandLine(string programs) =>
    [
        Path.Combine(programs, "sbin", "mariadbd"), "--no-defaults", $"--datadir={Data}", $"--socket={Socket}", $"--pid-file={Path.Combine(Folder, "pid")}", $"--port={PortText}",
        "--bind-address=127.0.0.1", "--skip-name-resolve", $"--init-file={Beginning}", $"--ssl-cert={CertificateFile}", $"--ssl-key={KeyFile}",
        "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M",
    ];

    protected override bool IsReady(string line) => line.Contains("ready for connections", StringComparison.Ordinal);
}
