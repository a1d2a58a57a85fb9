using Postern.Testing.Processes;

namespace Postern.Testing.Databases;

/// <summary>Debian's PostgreSQL.</summary>
public sealed class PostgresServer() : DatabaseServer("postgresql", "postgres")
{
    public const string Database = "postgres";

    /// <summary>The directory of its socket.</summary>
    public string Socket => Folder;

    private string Data => Path.Combine(Folder, "data");

    protected override string? FindPrograms() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(static d => Path.Combine(d, "bin")).LastOrDefault()
        : null;

    protected override async Task MakeAsync(string programs)
    {
        var secret = Path.Combine(Folder, "secret");
        await File.WriteAllTextAsync(secret, Password + "\n");
        await OwnAsync();
        await RunAsync(Path.Combine(programs, "initdb"), "-D", Data, "-U", User, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8", "-N");
    }

    protected override IReadOnlyList<string> CommandLine(string programs) =>
    [
        Path.Combine(programs, "postgres"), "-D", Data, "-k", Socket, "-h", "127.0.0.1", "-p", PortText, "-F",
        "-c", "ssl=on", "-c", $"ssl_cert_file={CertificateFile}", "-c", $"ssl_key_file={KeyFile}", "-c", "autovacuum=off",
    ];

    protected override bool IsReady(string line) => line.Contains("ready to accept connections", StringComparison.Ordinal);

    /// <summary>Its files are read again, in a moment: <c>pg_conf_load_time()</c> says when.</summary>
    public void Reload() => RunningProgram.SendHangUp(ProcessId);

    protected override void CleanUp() => File.Delete(Path.Combine(Data, "postmaster.pid"));
}
