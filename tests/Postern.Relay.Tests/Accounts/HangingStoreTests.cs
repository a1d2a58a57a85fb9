using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Databases;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store whose server takes connections and never answers, or whose file is locked, behind the driver that asks it: who does not ask it waits for nothing.</summary>
public sealed class HangingStoreTests : IDisposable
{
    private const int Idle = 1000;
    private const int Logins = 200;

    /// <summary>Longer than the test: no driver gives up by itself, and the clock of the test stands.</summary>
    private static readonly StoreTerms Terms = new() { Timeout = TimeSpan.FromMinutes(10) };

    private static readonly (string, string) Query = ("query", "select password, name from users where email = @user");

    private readonly DirectoryFixture fixture = new();
    private readonly CutWire wire = new();
    private SqliteConnection? hold;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        wire.Dispose();
        hold?.Dispose();
        fixture.Dispose();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mysql")]
    [InlineData("sqlite")]
    [InlineData("http")]
    [InlineData("vault")]
    [InlineData("ldap")]
    [InlineData("smtp")]
    public Task While_a_store_hangs_1000_idle_sessions_are_answered_and_messages_are_taken(string word) =>
        HangAsync(word == "sqlite" ? Locked() : Lost(word), static () => { });

    [Fact]
    public async Task While_slapd_is_stopped_by_a_signal_1000_idle_sessions_are_answered_and_messages_are_taken()
    {
        Assert.SkipWhen(Slapd.WhyNot() is not null, Slapd.WhyNot() ?? string.Empty);
        await using var slapd = await Slapd.StartAsync();
        var source = Read("ldap", string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{slapd.Port}/{Slapd.People}"), ("tls", "none"), ("bind", Slapd.Service), ("password", Slapd.ServicePassword));
        await HangAsync(source, () => ProcessTree.Signal(slapd.Id, ProcessTree.Stop));
    }

    /// <param name="hang">Makes it hang, after it was opened.</param>
    private async Task HangAsync(AccountSource source, Action hang)
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere not all of 127.0.0.0/8 is there
        using var store = AccountStores.Open(fixture.StoreContext, source);
        var password = fixture.AddAccount("lisa");
        var verifiers = new AccountVerifiers([fixture.Store(), store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Sasl = verifiers.Context,
        });
        server.Start();
        var endpoint = server.Endpoints[0].Endpoint;
        await using var lisa = await SmtpDialogue.GreetAsync(endpoint);
        await lisa.LogInAsync("lisa", password);
        var idle = await Task.WhenAll(Enumerable.Range(0, Idle).Select(i => PlainClient.GreetAsync(endpoint, $"127.{1 + (i % 200)}.0.1")));

        hang();
        var logins = await Task.WhenAll(Enumerable.Range(0, Logins).Select(i => PlainClient.BeginAsync(endpoint, $"127.{1 + (i % 200)}.0.2", $"user{i}", "tiger")));
        var waiting = logins.Select(static login => login.Reader.ReadLineAsync(Ct).AsTask()).ToList();
        while (AccountStores.ConditionOf(store) is var condition && condition.UnderWay + condition.Waiting < Logins)
            await Task.Delay(10, Ct);
        Assert.Equal((Terms.MostQuestions, Logins - Terms.MostQuestions), (AccountStores.ConditionOf(store).UnderWay, AccountStores.ConditionOf(store).Waiting));

        await Task.WhenAll(idle.Select(static session => session.SendAsync("NOOP").AsTask()));
        Assert.All(await Task.WhenAll(idle.Select(static session => session.Reader.ReadLineAsync(Ct).AsTask())), static reply => Assert.StartsWith("250 ", reply, StringComparison.Ordinal));
        Assert.StartsWith("250 ", await lisa.SendAsync("lisa@example.org", "b@accepted.example", "Subject: meanwhile\r\n\r\nIt hangs.\r\n"), StringComparison.Ordinal);
        using (var another = await PlainClient.BeginAsync(endpoint, "127.250.0.1", "lisa", password))
            Assert.StartsWith("235 ", await another.Reader.ReadLineAsync(Ct), StringComparison.Ordinal);
        Assert.All(waiting, static login => Assert.False(login.IsCompleted));

        fixture.Clock.Advance(Terms.Timeout);
        Assert.All(await Task.WhenAll(waiting), static reply => Assert.StartsWith("454 ", reply, StringComparison.Ordinal));
        foreach (var session in idle.Concat(logins))
            session.Dispose();
        await server.StopAsync(CancellationToken.None);
    }

    /// <summary>Connections are taken, and nothing is ever said.</summary>
    private AccountSource Lost(string word)
    {
        wire.Pass();
        wire.Swallow();
        var at = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{wire.Port}");
        return word switch
        {
            "http" => Read(word, $"http://{at}/smtp-auth"),
            "vault" => Read(word, "vault://secret/smtp-auth", ("address", $"http://{at}"), ("token", "token")),
            "ldap" => Read(word, $"ldap://{at}/{Slapd.People}", ("tls", "none")),
            "smtp" => Read(word, $"smtp://{at}", ("tls", "none")),
            _ => Read(word, $"{word}://app@{at}/app", Query),
        };
    }

    private AccountSource Locked()
    {
        var file = fixture.Beside("users.db");
        hold = new SqliteConnection($"Data Source={file};Pooling=False");
        hold.Open();
        using var command = hold.CreateCommand();
        command.CommandText = "create table users (email text, password text, name text); begin exclusive";
        command.ExecuteNonQuery();
        return Read("sqlite", $"sqlite://{file}", Query);
    }

    private static AccountSource Read(string word, string uri, params (string, string)[] keys) =>
        AccountStores.All.Single(k => k.Word == word).Read(new StoreKeys(keys), new AccountSource(uri, "mail.example.org") { Terms = Terms });
}
