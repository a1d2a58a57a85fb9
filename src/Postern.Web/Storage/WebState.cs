using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Storage;

/// <summary>
/// What the web plane keeps and may lose, in a SQLite file of its own (<c>web.db</c>, mode 0600): the server alone writes it. Losing it
/// signs people out; a damaged one is set aside and begun anew. Safe to use from any thread; a statement takes microseconds.
/// </summary>
/// <remarks>Every member throws <see cref="DirectoryUnavailableException"/> where the file cannot be read or written.</remarks>
internal sealed class WebState : IDisposable
{
    public const string FileName = "web.db";

    private static readonly ImmutableArray<string> Steps = Migrations.StepsOf(typeof(WebState).Assembly);

    private readonly Lock gate = new();
    private readonly DirectoryConnection connection;

    private WebState(DirectoryConnection connection) => this.connection = connection;

    /// <param name="database">The path of the directory's database.</param>
    public static string Beside(string database) => Path.Combine(Path.GetDirectoryName(database) ?? string.Empty, FileName);

    /// <summary>Opens the file, or makes it.</summary>
    /// <param name="audit">Is told where a damaged file was begun anew.</param>
    public static WebState Open(string path, IAuditLog audit, TimeProvider clock)
    {
        try
        {
            return OpenOnce(path);
        }
        catch (DirectoryUnavailableException e) when (e.IsDamaged)
        {
            SetAside(path);
            audit.Append(new ServerEvent(
                clock.GetUtcNow(),
                "web_state_begun_anew",
                $"{e.Message}; it is kept as {path}.damaged, and whoever was signed in signs in again"));
            return OpenOnce(path);
        }
    }

    /// <summary>Reads or changes it in one transaction.</summary>
    public T Do<T>(Func<SqliteConnection, T> work)
    {
        lock (gate)
            return connection.InTransaction("begin immediate", c => work(c.Sql));
    }

    public void Dispose()
    {
        lock (gate)
            connection.Dispose();
    }

    private static WebState OpenOnce(string path)
    {
        var options = new SqliteDirectoryOptions(path);
        DirectoryFile.Ensure(options);
        var opened = DirectoryConnection.Open(options);
        try
        {
            Migrations.Apply(opened, path, typeof(WebState).Assembly, Steps);
            // What a power cut takes of it, people put back by signing in.
            opened.Execute("pragma synchronous = normal");
            return new WebState(opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static void SetAside(string path)
    {
        try
        {
            File.Move(path, $"{path}.damaged", overwrite: true);
            foreach (var companion in (string[])["-wal", "-shm"])
                File.Delete(path + companion);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DirectoryUnavailableException($"{path}: it is damaged, and cannot be set aside: {e.Message}", e);
        }
    }
}
