using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Accounts;

public sealed class SqliteDirectoryTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();

    private SqliteDirectory Database => fixture.Database;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void An_account_is_found_with_all_that_it_may_send_as()
    {
        fixture.Commands.Accounts.Add(new AddAccount("Lisa@Example.com", ["Sales@example.com"], ["Example.NET"]));

        var account = Database.FindAccount("lisa@example.com");

        Assert.NotNull(account);
        Assert.True(account.Enabled);
        Assert.Equal(["lisa@example.com", "sales@example.com"], account.Addresses);
        Assert.Equal(["example.net"], account.Domains);
        Assert.Null(Database.FindAccount("Lisa@Example.com"));
    }

    [Fact]
    public void A_new_directory_trusts_nobody()
    {
        Assert.Null(Database.FindAccount("test@example.com"));
        Assert.False(Database.IsListed(Domain.Parse("example.com")));
        Assert.False(Database.AcceptsRecipients(Domain.Parse("localhost")));
        Assert.Null(Database.FindNetwork(IPAddress.Loopback, Domain.Parse("localhost")));
        Assert.Empty(fixture.Queries.Accounts());
    }

    [Fact]
    public void The_file_is_readable_for_its_owner_only_and_so_are_its_companions()
    {
        if (OperatingSystem.IsWindows())
            return;
        fixture.AddAccount("lisa");
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(fixture.File)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_change_by_another_connection_counts_for_the_next_question(bool useWalIndex)
    {
        using var directory = SqliteDirectory.Open(fixture.Options with { UseWalIndex = useWalIndex });
        using var other = fixture.Connect();
        using var change = other.CreateCommand();
        fixture.AddAccount("lisa");
        for (var i = 0; i < 50; i++)
        {
            change.CommandText = $"update accounts set enabled = {i % 2} where name = 'lisa'";
            change.ExecuteNonQuery();
            Assert.Equal(i % 2 == 1, directory.FindAccount("lisa")!.Enabled);
            if (i % 10 == 9)
            {
                change.CommandText = "pragma wal_checkpoint(truncate)";
                change.ExecuteNonQuery();
                Assert.True(directory.FindAccount("lisa")!.Enabled);
            }
        }

        Assert.False(directory.IsListed(Domain.Parse("example.org")));
        fixture.Execute("insert into domains (name, accepts) values ('example.org', 1)");
        Assert.True(directory.IsListed(Domain.Parse("example.org")));
        Assert.True(directory.AcceptsRecipients(Domain.Parse("example.org")));

        fixture.Execute("delete from accounts");
        Assert.Null(directory.FindAccount("lisa"));
    }

    [Fact]
    public void A_change_that_is_rolled_back_never_shows()
    {
        fixture.AddAccount("lisa");
        using var other = fixture.Connect();
        using var change = other.CreateCommand();
        change.CommandText = "begin immediate; update accounts set enabled = 0";
        change.ExecuteNonQuery();
        Assert.True(Database.FindAccount("lisa")!.Enabled);
        change.CommandText = "rollback";
        change.ExecuteNonQuery();
        Assert.True(Database.FindAccount("lisa")!.Enabled);
    }

    [Fact]
    public void What_the_engine_sorts_needs_no_place_for_temporary_files()
    {
        using var connection = DirectoryConnection.Open(fixture.Options);
        using var asked = connection.Sql.CreateCommand();
        asked.CommandText = "pragma temp_store";
        Assert.Equal(2L, asked.ExecuteScalar());
    }

    [Fact]
    public void The_shared_header_of_the_log_tells_of_every_commit()
    {
        using var connection = DirectoryConnection.Open(fixture.Options);
        connection.DataVersion();
        var index = WalIndex.TryOpen(connection.Sql.Handle!);
        Assert.NotNull(index);
        index.Look();
        Assert.True(index.IsAsSeen);
        Database.FindAccount("lisa");
        Assert.True(index.IsAsSeen);
        fixture.AddAccount("lisa");
        Assert.False(index.IsAsSeen);
        index.Look();
        Assert.True(index.IsAsSeen);
    }

    [Fact]
    public void A_second_directory_on_the_same_file_sees_the_changes_of_the_first()
    {
        using var second = SqliteDirectory.Open(fixture.Options);
        Assert.Null(second.FindAccount("lisa"));
        fixture.AddAccount("lisa");
        Assert.NotNull(second.FindAccount("lisa"));
        fixture.Commands.Accounts.Remove("lisa");
        Assert.Null(second.FindAccount("lisa"));
    }

    [Fact]
    public void An_answer_is_the_same_object_while_nothing_changed()
    {
        fixture.AddAccount("lisa");
        Assert.Same(Database.FindAccount("lisa"), Database.FindAccount("lisa"));
    }

    [Fact]
    public async Task An_answer_from_memory_is_there_at_once_and_allocates_nothing()
    {
        fixture.AddAccount("lisa");
        IDirectory directory = Database;
        var (domain, client) = (Domain.Parse("example.com"), IPAddress.Parse("192.0.2.1"));
        var before = 0L;
        for (var i = 0; i < 100; i++) // no answer waits, so this is one thread
        {
            if (i == 1)
                before = GC.GetAllocatedBytesForCurrentThread();
            await directory.FindAccountAsync("lisa", CancellationToken.None);
            await directory.IsListedAsync(domain, CancellationToken.None);
            await directory.AcceptsRecipientsAsync(domain, CancellationToken.None);
            await directory.FindNetworkAsync(client, domain, CancellationToken.None);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.0/24")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.0/24")]
    [InlineData("192.0.2.130", "192.0.2.128/25")]
    [InlineData("198.51.100.1", null)]
    [InlineData("2001:db8:1::5", "2001:db8:1::/48")]
    [InlineData("2001:db8:2::5", null)]
    [InlineData("127.0.0.1", null)]
    [InlineData("203.0.113.77", "203.0.113.0/24")]
    public void A_network_is_found_for_a_client_and_the_most_specific_one_wins(string client, string? expected)
    {
        fixture.Commands.Domains.Add("example.com", accept: false);
        foreach (var cidr in (string[])["192.0.2.0/24", "192.0.2.128/25", "2001:db8:1::/48", "::ffff:203.0.113.0/120"])
            Assert.IsType<AdminOutcome.Done>(fixture.Commands.Networks.Add(cidr, "example.com"));

        Assert.Equal(expected, Database.FindNetwork(IPAddress.Parse(client), Domain.Parse("Example.COM"))?.ToString());
        Assert.Null(Database.FindNetwork(IPAddress.Parse(client), Domain.Parse("example.net")));
    }

    [Fact]
    public void A_writer_with_an_open_transaction_does_not_stop_questions_but_stops_commands_in_bounded_time()
    {
        using var locked = new DirectoryFixture(TimeSpan.FromMilliseconds(60));
        locked.AddAccount("lisa");
        using var other = locked.Connect();
        using var hold = other.CreateCommand();
        hold.CommandText = "begin exclusive";
        hold.ExecuteNonQuery();

        Assert.NotNull(locked.Database.FindAccount("lisa"));
        Assert.Null(locked.Database.FindAccount("nobody"));
        var refused = Assert.Throws<DirectoryUnavailableException>(() => locked.Commands.Accounts.Disable("lisa"));
        Assert.Contains(locked.File, refused.Message, StringComparison.Ordinal);
        Assert.Contains("locked by another process for longer than 0.06 s", refused.Message, StringComparison.Ordinal);

        hold.CommandText = "rollback";
        hold.ExecuteNonQuery();
        Assert.IsType<AdminOutcome.Done>(locked.Commands.Accounts.Disable("lisa"));
    }

    [Fact]
    public void A_file_that_is_locked_against_readers_is_unavailable_and_answers_again_once_it_is_free()
    {
        using var locked = new DirectoryFixture(TimeSpan.FromMilliseconds(60));
        locked.AddAccount("lisa");
        File.Move(locked.File, locked.File + ".away");
        locked.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Throws<DirectoryUnavailableException>(() => locked.Database.FindAccount("lisa"));
        File.Move(locked.File + ".away", locked.File);

        using (var other = locked.Connect())
        {
            using var hold = other.CreateCommand();
            hold.CommandText = "pragma locking_mode = exclusive; begin exclusive; update accounts set enabled = 1; commit";
            hold.ExecuteNonQuery();

            for (var i = 0; i < 3; i++)
            {
                var refused = Assert.Throws<DirectoryUnavailableException>(() => locked.Database.FindAccount("lisa"));
                Assert.Contains("locked by another process", refused.Message, StringComparison.Ordinal);
            }
        }

        Assert.NotNull(locked.Database.FindAccount("lisa"));
    }

    [Fact]
    public void A_directory_that_was_closed_says_so()
    {
        fixture.AddAccount("lisa");
        Database.Dispose();
        var refused = Assert.Throws<DirectoryUnavailableException>(() => Database.FindAccount("lisa"));
        Assert.Contains("is closed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_vanishes_is_named_and_one_that_takes_its_place_is_read()
    {
        fixture.AddAccount("lisa");
        Assert.NotNull(Database.FindAccount("lisa"));
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(fixture.File)!))
            File.Delete(file);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));

        var gone = Assert.Throws<DirectoryUnavailableException>(() => Database.FindAccount("lisa"));
        Assert.Contains("no such file", gone.Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryUnavailableException>(() => fixture.Commands.Accounts.Disable("lisa"));

        using var restored = SqliteDirectory.Open(fixture.Options);
        new DirectoryCommands(restored, fixture.Clock).Accounts.Add(new AddAccount("bob", [], []));
        Assert.NotNull(Database.FindAccount("bob"));
        Assert.Null(Database.FindAccount("lisa"));
    }

    [Fact]
    public void A_file_that_is_replaced_while_open_is_read_anew()
    {
        fixture.AddAccount("lisa");
        Assert.NotNull(Database.FindAccount("lisa"));
        var backup = fixture.Options with { Path = fixture.File + ".backup" };
        using (var other = SqliteDirectory.Open(backup))
            new DirectoryCommands(other, fixture.Clock).Accounts.Add(new AddAccount("bob", [], []));
        File.Delete(fixture.File + "-wal");
        File.Delete(fixture.File + "-shm");
        File.Move(backup.Path, fixture.File, overwrite: true);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.NotNull(Database.FindAccount("bob"));
        Assert.Null(Database.FindAccount("lisa"));
    }

    [Fact]
    public void A_row_that_a_hand_put_in_and_nobody_can_read_is_unavailable_and_not_an_answer()
    {
        fixture.Execute("insert into domains (name) values ('example.com'); insert into networks (domain, cidr) values ('example.com', 'all of them')");
        var refused = Assert.Throws<DirectoryUnavailableException>(() => Database.FindNetwork(IPAddress.Loopback, Domain.Parse("example.com")));
        Assert.Contains("a row cannot be read", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x' OR '1'='1")]
    [InlineData("lisa'; drop table accounts; --")]
    [InlineData("%")]
    [InlineData("l_sa")]
    [InlineData("*)(uid=*")]
    [InlineData("\\00")]
    public void A_name_is_data_and_never_sql(string name)
    {
        fixture.AddAccount("lisa");
        Assert.Null(Database.FindAccount(name));
        Assert.IsType<LoginAnswer.NoMatch>(Database.FindLogin(name));
        Assert.IsType<AdminOutcome.NotFound>(fixture.Commands.Accounts.Disable(name));
        Assert.NotNull(Database.FindAccount("lisa"));
    }

    [Fact]
    public async Task Many_threads_asking_while_others_change_always_get_an_answer_of_some_moment()
    {
        fixture.AddAccount("lisa");
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var asked = 0;
            while (!done.IsCancellationRequested || asked == 0)
            {
                Assert.NotNull(Database.FindAccount("lisa"));
                asked++;
            }
        })).ToArray();
        for (var i = 0; i < 20; i++)
        {
            fixture.Commands.Accounts.Grant(new ChangeGrants("lisa", [$"a{i}@example.com"], []));
            Assert.Equal(i + 1, Database.FindAccount("lisa")!.Addresses.Length);
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_committed_before_a_question_is_in_its_answer_whatever_else_goes_on(bool useWalIndex)
    {
        using var directory = SqliteDirectory.Open(fixture.Options with { UseWalIndex = useWalIndex });
        using var seen = new SemaphoreSlim(0);
        var committed = 0;
        var reader = Task.Run(() =>
        {
            for (var (asked, checkedUpTo) = (0, 0); checkedUpTo < 150; asked++)
            {
                // New names all the time, so that commits fall into the middle of reading.
                directory.IsListed(Domain.Parse($"x{asked}.example"));
                var last = Volatile.Read(ref committed);
                if (last == checkedUpTo)
                    continue;
                Assert.True(directory.IsListed(Domain.Parse("late.example")) == (last % 2 == 1), $"commit {last} is not seen");
                checkedUpTo = last;
                seen.Release();
            }
        });

        using var other = fixture.Connect();
        using var change = other.CreateCommand();
        for (var i = 1; i <= 150 && !reader.IsFaulted; i++)
        {
            change.CommandText = i % 2 == 1 ? "insert into domains (name) values ('late.example')" : "delete from domains";
            change.ExecuteNonQuery();
            Volatile.Write(ref committed, i);
            await Task.WhenAny(reader, seen.WaitAsync());
        }

        await reader;
    }
}
