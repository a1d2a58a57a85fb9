using System.Globalization;
using Microsoft.Data.Sqlite;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>Data that cannot be used is never replaced or worked around: serve says why and does not start.</summary>
[Collection(nameof(ProcessTests))]
public sealed class UnusableDataStopsTheStartTests
{
    [Fact]
    public async Task A_database_that_is_none_is_named_and_left_as_it_is()
    {
        using var home = await ProcessTests.HomeAsync();
        await File.WriteAllTextAsync(home.DirectoryFile, "this is not a database, but long enough to be looked at", ProcessTests.Stop);

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"directory {home.DirectoryFile}: it is not a database");
        Assert.StartsWith("this is not", await File.ReadAllTextAsync(home.DirectoryFile, ProcessTests.Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_database_is_named()
    {
        using var home = await ProcessTests.HomeAsync();
        var octets = await File.ReadAllBytesAsync(home.DirectoryFile, ProcessTests.Stop);
        octets.AsSpan(100, 4000).Fill(0xAA);
        await File.WriteAllBytesAsync(home.DirectoryFile, octets, ProcessTests.Stop);

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"directory {home.DirectoryFile}: it is damaged");
    }

    [Fact]
    public async Task A_locked_database_is_waited_for_and_then_named()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var holder = new SqliteConnection($"Data Source={home.DirectoryFile};Pooling=False");
        await holder.OpenAsync(ProcessTests.Stop);
        await using (var hold = new SqliteCommand("pragma locking_mode = exclusive; begin exclusive", holder))
            await hold.ExecuteNonQueryAsync(ProcessTests.Stop);

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"directory {home.DirectoryFile}: it has been locked by another process for longer than ");
    }

    [Fact]
    public async Task A_file_in_the_place_of_the_spool_is_named()
    {
        using var home = await ProcessTests.HomeAsync();
        await File.WriteAllTextAsync(home.Spool, "a file", ProcessTests.Stop);

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"The spool directory {home.Spool} cannot be used: ");
    }

    [Fact]
    public async Task A_spool_that_is_a_symbolic_link_is_refused()
    {
        using var home = await ProcessTests.HomeAsync();
        Directory.CreateDirectory(Path.Combine(home.Root, "elsewhere"));
        Directory.CreateSymbolicLink(home.Spool, Path.Combine(home.Root, "elsewhere"));

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"The spool directory {home.Spool} is a symbolic link to ");
    }

    [Fact]
    public async Task A_spool_of_another_user_is_refused()
    {
        using var home = await ProcessTests.HomeAsync();
        Directory.CreateDirectory(home.Spool);
        await OtherUser.OwnAsync(home.Spool);

        var serve = await home.RunAsync("serve");

        AssertRefused(serve, $"The spool directory {home.Spool} belongs to user id 65534, and this process runs as 0");
    }

    [Fact]
    public async Task A_data_directory_that_may_not_be_written_is_named_with_the_user()
    {
        using var home = await ProcessTests.HomeAsync();

        var serve = await OtherUser.RunAsync(home, "serve");

        Assert.Equal(2, serve.ExitCode);
        Assert.Contains($"the data directory {home.Data} cannot be written by nobody", serve.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("queue", "list")]
    [InlineData("queue", "hold", "--all")]
    public async Task Who_may_not_look_is_not_told_that_there_is_nothing(params string[] args)
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();

        var asked = await OtherUser.RunAsync(home, args);

        Assert.Equal(1, asked.ExitCode);
        Assert.Empty(asked.Output);
        Assert.Contains($"nobody may not look into {home.Data}", asked.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_names_the_first_which_goes_on()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var first = await home.ServeAsync();

        var second = await home.RunAsync("serve");

        AssertRefused(second, string.Create(CultureInfo.InvariantCulture, $"The spool directory {home.Spool} is in use by process {first.Id}."));
        await using var dialogue = await SmtpDialogue.GreetAsync(first["plain"]);
        Assert.Equal(0, (await home.RunAsync("status")).ExitCode);
    }

    private static void AssertRefused(ProgramResult serve, string reason)
    {
        Assert.Contains(reason, serve.Error, StringComparison.Ordinal);
        Assert.Equal(1, serve.ExitCode);
        // One line what, one line what to do; no stack trace.
        Assert.Matches(@"^postern: .+\n  .+\n$", serve.Error.Split("self-signed certificate for mail.example.org\n")[^1]);
    }
}
