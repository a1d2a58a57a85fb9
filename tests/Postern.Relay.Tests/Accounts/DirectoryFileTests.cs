using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;

namespace Postern.Relay.Tests.Accounts;

public sealed class DirectoryFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-directory-").FullName;

    private SqliteDirectoryOptions Options => new(Path.Combine(folder, "directory.db")) { BusyTimeout = TimeSpan.FromSeconds(20) };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_engine_is_the_one_in_the_package()
    {
        SqliteDirectory.Open(Options).Dispose();
        Assert.True(new Version(SQLitePCL.raw.sqlite3_libversion().utf8_to_string()) >= new Version(3, 49), SQLitePCL.raw.sqlite3_libversion().utf8_to_string());
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain("libsqlite3.so", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public void Migrations_are_numbered_from_one_without_a_gap()
    {
        var numbers = Migrations.Steps.Select(s => int.Parse(s.AsSpan("migrations/".Length, 4)));
        Assert.Equal(Enumerable.Range(1, Migrations.Steps.Length), numbers);
    }

    [Fact]
    public void A_database_opens_again_as_it_is()
    {
        for (var i = 0; i < 2; i++)
            SqliteDirectory.Open(Options).Dispose();
        Assert.Equal(Migrations.Steps.Length, Number("pragma user_version"));
    }

    [Fact]
    public void A_database_newer_than_the_program_is_refused_with_both_numbers()
    {
        SqliteDirectory.Open(Options).Dispose();
        Execute("pragma user_version = 900");
        var refused = Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(Options));
        Assert.Contains(Options.Path, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"number 900, newer than this program's {Migrations.Steps.Length}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_of_another_program_is_left_alone()
    {
        Execute("create table users (name text)");
        var refused = Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(Options));
        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, Number("select count(*) from sqlite_master"));
    }

    [Fact]
    public void A_file_that_is_no_database_is_named()
    {
        File.WriteAllText(Options.Path, new string('x', 5000));
        var refused = Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(Options));
        Assert.Equal($"directory {Options.Path}: it is not a database", refused.Message);
    }

    [Fact]
    public void A_damaged_page_is_unavailable_and_not_an_answer()
    {
        using (var directory = SqliteDirectory.Open(Options))
        {
            var commands = new Postern.Relay.Admin.DirectoryCommands(directory, TimeProvider.System);
            for (var i = 0; i < 50; i++)
                commands.Accounts.Add(new Postern.Relay.Admin.AddAccount($"user{i}@example.com", [], []));
        }

        using (var file = File.OpenWrite(Options.Path))
        {
            file.Position = 4096;
            file.Write(new byte[file.Length - 4096]);
        }

        var refused = Assert.Throws<DirectoryUnavailableException>(() =>
        {
            using var directory = SqliteDirectory.Open(Options);
            directory.FindAccount("user7@example.com");
        });
        Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_made_only_when_asked()
    {
        var refused = Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(Options with { Create = false }));
        Assert.Contains(Options.Path, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Options.Path));

        Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(new SqliteDirectoryOptions(folder)));
        refused = Assert.Throws<DirectoryUnavailableException>(() => SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "none", "directory.db"))));
        Assert.Contains("cannot be made", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_that_open_a_new_database_at_once_all_succeed()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => SqliteDirectory.Open(Options).Dispose())));
        Assert.Equal(Migrations.Steps.Length, Number("pragma user_version"));
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Options.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private long Number(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Options.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
