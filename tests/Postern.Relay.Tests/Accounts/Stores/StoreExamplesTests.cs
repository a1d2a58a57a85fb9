using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Stores;

/// <summary>The service of docs/stores.md is a whole one: it is run as it stands there.</summary>
public sealed class StoreExamplesTests
{
    private const string Begin = "```python\n";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_service_of_the_page_logs_its_user_in_and_takes_no_question_that_is_not_signed()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "python3 is not installed");
        var folder = Directory.CreateTempSubdirectory("postern-service-").FullName;
        using var fixture = new DirectoryFixture();
        var port = FreePort();
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs/stores.md"), Ct);
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var program = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].Replace("8080", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "service.py"), program, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "smtp-auth.key"), "signing-key-of-the-service\n", Ct);
        await using var service = RunningProgram.Start(["/usr/bin/python3", "service.py"], folder);
        try
        {
            var source = Read(port, "signing-key-of-the-service");
            var verifiers = Open(fixture, source, TimeProvider.System);
            LoginAnswer answer;
            do
            {
                Assert.False(service.HasExited, service.Error.Text);
                answer = await verifiers.Passwords.CheckAsync("lisa@example.org", "tiger"u8.ToArray(), "192.0.2.1", Ct);
            }
            while (answer is LoginAnswer.Unavailable(var reason) && reason.Contains("Connection refused", StringComparison.Ordinal)); // it does not tell when it listens
            Assert.IsType<LoginAnswer.Match>(answer);
            Assert.Contains("sales@example.org", (await verifiers.Accounts!.FindAccountAsync("lisa@example.org", Ct))!.Addresses);
            Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa@example.org", "lion"u8.ToArray(), "192.0.2.1", Ct));
            Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("bart@example.org", "tiger"u8.ToArray(), "192.0.2.1", Ct));

            foreach (var (other, clock) in new (AccountSource, TimeProvider)[] { (Read(port, "another-key-of-the-service"), TimeProvider.System), (source, fixture.Clock) })
            {
                var refused = await Open(fixture, other, clock).Passwords.CheckAsync("lisa@example.org", "tiger"u8.ToArray(), "192.0.2.1", Ct);
                Assert.Contains("it does not take this server for who it is (401)", Assert.IsType<LoginAnswer.Unavailable>(refused).Reason, StringComparison.Ordinal);
            }
        }
        finally
        {
            ProcessTree.Signal(service.Id, ProcessTree.Kill);
            await service.WaitAsync(TimeSpan.FromSeconds(30));
            Directory.Delete(folder, recursive: true);
        }
    }

    private static AccountSource Read(int port, string key) => AccountStores.All.Single(static k => k.Word == "http").Read(
        new StoreKeys(("key", key)), new AccountSource(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/smtp-auth"), "mail.example.org"));

    private static AccountVerifiers Open(DirectoryFixture fixture, AccountSource source, TimeProvider clock) =>
        new([AccountStores.Open(fixture.StoreContext with { Clock = clock }, source)], fixture.Pool, new VerificationCache(clock), clock) { Directory = fixture.Database };

    private static int FreePort()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }
}
