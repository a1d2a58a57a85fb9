using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Smtp;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Protection;

/// <summary>hydra, the guesser of passwords, with 32 connections at once.</summary>
public sealed class HydraTests
{
    private const string Hydra = "/usr/bin/hydra";

    [Fact]
    public async Task Row_247_hydra_with_32_threads_gets_ten_guesses_of_an_account_hashed()
    {
        Assert.SkipUnless(File.Exists(Hydra), "hydra is not installed");
        using var fixture = new DirectoryFixture();
        fixture.AddAccount("lisa");
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1, QueueLength = 300, PlacesPerPeer = 300 });
        var protection = new LoginProtection(new LoginProtectionOptions { LongestDelay = TimeSpan.FromMilliseconds(100) }, NoAuditLog.Instance, fixture.Clock);
        var verifiers = new AccountVerifiers([fixture.Store()], pool, new VerificationCache(TimeProvider.System), TimeProvider.System, protection);
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Sasl = verifiers.Context,
            Limits = new SessionLimits { FailedLogins = 100 },
        });
        server.Start();

        var passwords = fixture.Beside("passwords");
        await File.WriteAllLinesAsync(passwords, Enumerable.Range(0, 300).Select(static i => $"guess{i}"), TestContext.Current.CancellationToken);
        string[] command = [Hydra, "-I", "-t", "32", "-l", "lisa", "-P", passwords, "-s", $"{server.Endpoints[0].Endpoint.Port}", "127.0.0.1", "smtp", "PLAIN"];
        await using (var hydra = RunningProgram.Start(command, Path.GetDirectoryName(passwords)))
        {
            try
            {
                await hydra.WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (TimeoutException)
            {
                // It tries again and again where it is told to come later.
            }
        }

        Assert.Equal(10, pool.Computed);
        Assert.True(protection.Counts.AccountAndNetwork > 0);
        await server.StopAsync(CancellationToken.None);
    }
}
