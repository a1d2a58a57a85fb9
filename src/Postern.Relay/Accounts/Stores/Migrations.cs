using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Dapper;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// Brings a database to this program's schema. The steps are embedded files, <c>NNNN-what.sql</c>, applied in order and in one
/// transaction; <c>user_version</c> holds the number of the last.
/// </summary>
internal static class Migrations
{
    private const string Prefix = "migrations/";

    /// <summary>Resource names in the order of their numbers; element i has number i + 1.</summary>
    public static ImmutableArray<string> Steps { get; } = StepsOf(Assembly.GetExecutingAssembly());

    /// <summary>Those that an assembly holds, for a database of its own.</summary>
    public static ImmutableArray<string> StepsOf(Assembly assembly) =>
    [
        .. assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    /// <exception cref="DirectoryUnavailableException">The database is newer than this program, or belongs to another.</exception>
    public static void Apply(DirectoryConnection connection, string path) =>
        Apply(connection, path, Assembly.GetExecutingAssembly(), Steps);

    /// <summary>The same with the steps of another database.</summary>
    /// <exception cref="DirectoryUnavailableException">The database is newer than this program, or belongs to another.</exception>
    public static void Apply(DirectoryConnection connection, string path, Assembly assembly, ImmutableArray<string> steps)
    {
        // Whoever else makes the same database at this moment may let this fail at once, whatever patience the connection has.
        var pause = default(SpinWait);
        for (var begun = Stopwatch.GetTimestamp(); ; pause.SpinOnce())
        {
            try
            {
                ApplyOnce(connection, path, assembly, steps);
                return;
            }
            catch (DirectoryUnavailableException e) when (e.IsLocked && Stopwatch.GetElapsedTime(begun) < connection.BusyTimeout)
            {
            }
        }
    }

    private static void ApplyOnce(DirectoryConnection connection, string path, Assembly assembly, ImmutableArray<string> steps)
    {
        if (connection.InTransaction("begin", c => VersionOf(c, path, steps.Length)) == steps.Length)
            return;
        connection.Execute("pragma journal_mode = wal");
        connection.InTransaction("begin immediate", c =>
        {
            // Read again: another process may have been faster.
            for (var done = VersionOf(c, path, steps.Length); done < steps.Length; done++)
                c.Execute(TextOf(assembly, steps[done]));
            c.Execute(string.Create(CultureInfo.InvariantCulture, $"pragma user_version = {steps.Length}"));
            return 0;
        });
    }

    private static int VersionOf(DirectoryConnection connection, string path, int known)
    {
        var version = connection.Sql.ExecuteScalar<int>("pragma user_version");
        if (version > known)
            throw new DirectoryUnavailableException(
                $"directory {path}: its schema is number {version}, newer than this program's {known}; run the newer postern")
            {
                IsDamaged = true,
            };

        // Asked in any case: it makes the engine read the schema, and damage shows at the start and not at the first login.
        var tables = connection.Sql.ExecuteScalar<int>(
            "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'");
        if (version == 0 && tables > 0)
            throw new DirectoryUnavailableException($"directory {path}: it is the database of another program")
            {
                IsDamaged = true,
            };
        return version;
    }

    private static string TextOf(Assembly assembly, string step)
    {
        using var stream = assembly.GetManifestResourceStream(step)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
