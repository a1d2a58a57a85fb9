using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Pam;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Real connections that log in by a store which takes its time.</summary>
public sealed class SlowStoreTests
{
    private const int Sessions = 1000;

    [Fact]
    public async Task While_1000_sessions_wait_for_a_store_nobody_else_waits_and_half_of_them_may_leave()
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere not all of 127.0.0.0/8 is there
        using var fixture = new DirectoryFixture();
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1 });
        var far = new FarStore();
        for (var i = 0; i < Sessions; i++)
            far.Add($"user{i}", "skateboard");
        var password = fixture.AddAccount("lisa");
        var verifiers = new AccountVerifiers([fixture.Store(), far.Bound(fixture.Clock, new StoreTerms { MostQuestions = Sessions })], pool, new VerificationCache(fixture.Clock), fixture.Clock)
        {
            Directory = fixture.Database,
        };
        await using var server = Start(verifiers);
        var endpoint = server.Endpoints[0].Endpoint;

        far.Close();
        var clients = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => PlainClient.BeginAsync(endpoint, $"127.{1 + (i % 200)}.0.1", $"user{i}", "skateboard")));
        await UntilAsync(() => far.Asked == Sessions);
        Assert.InRange(ThreadPool.ThreadCount, 1, 200); // were one held for each, it would be a thousand

        using (var lisa = await PlainClient.BeginAsync(endpoint, "127.250.0.1", "lisa", password))
            Assert.StartsWith("235 ", await lisa.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        foreach (var leaving in clients[..(Sessions / 2)])
            leaving.Dispose();
        await UntilAsync(() => far.Left == Sessions / 2); // nobody waits for those answers, and no deadline has passed
        far.Open();
        foreach (var staying in clients[(Sessions / 2)..])
        {
            Assert.StartsWith("235 ", await staying.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            staying.Dispose();
        }

        await server.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task While_modules_of_PAM_hang_1000_idle_sessions_are_answered()
    {
        Assert.SkipUnless(PamGate.HasModule("pam_exec.so"), "libpam-modules is not installed");
        using var fixture = new DirectoryFixture();
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1 });
        var folder = Path.GetDirectoryName(fixture.File)!;
        var gate = await PamGate.MakeAsync(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "smtp"), $"auth required pam_exec.so quiet {gate.Program}\naccount required pam_permit.so\n", TestContext.Current.CancellationToken);
        var source = PamStore.Kind.Read(new StoreKeys(("directory", folder)), new AccountSource("pam:smtp", "mail.example.org"));
        var pam = (PamStore)PamStore.Kind.Open(fixture.StoreContext, source);
        var bound = AccountStores.Bound(pam, source.Terms, fixture.Clock);
        var password = fixture.AddAccount("lisa");
        var verifiers = new AccountVerifiers([fixture.Store(), bound], pool, new VerificationCache(fixture.Clock), fixture.Clock)
        {
            Directory = fixture.Database,
        };
        await using var server = Start(verifiers);
        var endpoint = server.Endpoints[0].Endpoint;
        var idle = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => PlainClient.GreetAsync(endpoint, $"127.{1 + (i % 200)}.0.1")));

        var hanging = await Task.WhenAll(Enumerable.Range(0, source.Terms.MostQuestions).Select(i => PlainClient.BeginAsync(endpoint, $"127.{1 + (i % 200)}.0.2", $"user{i}", "skateboard")));
        await UntilAsync(() => pam.Threads.UnderWay == source.Terms.MostQuestions);
        using var another = await PlainClient.BeginAsync(endpoint, "127.250.0.1", "bart", "skateboard");
        await UntilAsync(() => AccountStores.ConditionOf(bound).Waiting == 1);
        using (var lisa = await PlainClient.BeginAsync(endpoint, "127.250.0.1", "lisa", password))
            Assert.StartsWith("235 ", await lisa.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        foreach (var session in idle)
        {
            await session.SendAsync("NOOP");
            Assert.StartsWith("250 ", await session.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            session.Dispose();
        }

        Assert.Equal(source.Terms.MostQuestions, pam.Threads.UnderWay);
        gate.Open();
        foreach (var session in hanging.Append(another))
        {
            Assert.StartsWith("235 ", await session.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            session.Dispose();
        }

        await server.StopAsync(CancellationToken.None);
    }

    private static SmtpServer Start(AccountVerifiers verifiers)
    {
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Sasl = verifiers.Context,
        });
        server.Start();
        return server;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }
}
