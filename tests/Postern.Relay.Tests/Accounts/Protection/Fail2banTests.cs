using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Protection;

/// <summary>The filter that is shipped, on lines that the log writes.</summary>
public sealed class Fail2banTests
{
    private const string Program = "/usr/bin/fail2ban-regex";

    [Fact]
    public async Task Row_245_the_filter_for_fail2ban_finds_paused_addresses_and_networks_and_no_paused_account()
    {
        Assert.SkipUnless(File.Exists(Program), "fail2ban is not installed");
        var folder = Directory.CreateTempSubdirectory("postern-fail2ban-").FullName;
        try
        {
            await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = folder }, TimeProvider.System))
            {
                var protection = new LoginProtection(ProtectionFixture.WithoutDelay, log, TimeProvider.System);
                for (uint i = 0; i < 120; i++)
                    await GuessAsync(protection, $"user{i}", $"192.0.2.{1 + (i / 40)}", i);
                for (uint i = 0; i < 40; i++)
                    await GuessAsync(protection, $"user{i}", "2001:db8::1", 1000 + i); // others: the same would cost nothing
                for (uint i = 0; i < 10; i++)
                    await GuessAsync(protection, "lisa", "198.51.100.1", i);
            }

            var lines = Directory.GetFiles(folder, "server-*.jsonl").Single();
            var run = await RunningProgram.RunAsync([Program, "--print-all-matched", lines, SourceTree.PathOf("contrib/fail2ban/filter.d/postern.conf")]);
            Assert.Equal(0, run.ExitCode);
            var matched = run.Output.Split("Missed line")[0].Split('\n').Where(static l => l.Contains("logins_paused", StringComparison.Ordinal) && l.StartsWith("|  {", StringComparison.Ordinal)).ToList();
            Assert.Equal(
                ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.0/24", "2001:db8::/64"],
                matched.Select(static l => l.Split("\"detail\":\"")[1].Split(' ')[1].TrimEnd(':')));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task GuessAsync(LoginProtection protection, string account, string peer, uint password) =>
        protection.Settle(await protection.EnterAsync(account, peer, CancellationToken.None), LoginOutcome.Wrong, ProtectionFixture.KeyOf(account, password), isUser: true);
}
