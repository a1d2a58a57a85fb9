using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store whose server takes connections and never answers, or whose file is locked, behind the driver that asks it: who does not ask it waits for nothing.</summary>
public sealed class HangingStoreTests : IDisposable
{
    private const int Idle = 1000;
    private const int Logins = 200;

    /// <summary>Longer than the test: no driver gives up by itself, and the clock of the test stands.</summary>
    private static readonly StoreTerms Terms = new() { Timeout = TimeSpan.FromMinutes(10) };

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
    public async Task While_a_store_hangs_1000_idle_sessions_are_answered(string word)
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere not all of 127.0.0.0/8 is there
        using var store = AccountStores.Open(fixture.StoreContext, word == "sqlite" ? Locked() : Lost(word));
        var verifiers = new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
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
        var idle = await Task.WhenAll(Enumerable.Range(0, Idle).Select(i => PlainClient.GreetAsync(endpoint, $"127.{1 + (i % 200)}.0.1")));

        var logins = await Task.WhenAll(Enumerable.Range(0, Logins).Select(i => PlainClient.BeginAsync(endpoint, $"127.{1 + (i % 200)}.0.2", $"user{i}", "tiger")));
        var waiting = logins.Select(static login => login.Reader.ReadLineAsync(Ct).AsTask()).ToList();
        while (waiting.Count > Terms.MostQuestions) // the others are told at once
        {
            var told = await Task.WhenAny(waiting);
            waiting.Remove(told);
            Assert.StartsWith("454 ", await told, StringComparison.Ordinal);
        }

        await Task.WhenAll(idle.Select(static session => session.SendAsync("NOOP").AsTask()));
        Assert.All(await Task.WhenAll(idle.Select(static session => session.Reader.ReadLineAsync(Ct).AsTask())), static reply => Assert.StartsWith("250 ", reply, StringComparison.Ordinal));
        Assert.All(waiting, static login => Assert.False(login.IsCompleted));

        fixture.Clock.Advance(Terms.Timeout);
        Assert.All(await Task.WhenAll(waiting), static reply => Assert.StartsWith("454 ", reply, StringComparison.Ordinal));
        foreach (var session in idle.Concat(logins))
            session.Dispose();
        await server.StopAsync(CancellationToken.None);
    }

    private AccountSource Lost(string word)
    {
        wire.Pass();
        wire.Swallow();
        return Read(word, string.Create(CultureInfo.InvariantCulture, $"{word}://app@127.0.0.1:{wire.Port}/app"));
    }

    private AccountSource Locked()
    {
        var file = fixture.Beside("users.db");
        hold = new SqliteConnection($"Data Source={file};Pooling=False");
        hold.Open();
        using var command = hold.CreateCommand();
        command.CommandText = "create table users (email text, password text, name text); begin exclusive";
        command.ExecuteNonQuery();
        return Read("sqlite", $"sqlite://{file}");
    }

    private static AccountSource Read(string word, string uri) => AccountStores.All.Single(k => k.Word == word).Read(
        new StoreKeys(("query", "select password, name from users where email = @user")), new AccountSource(uri, "mail.example.org") { Terms = Terms });
}
