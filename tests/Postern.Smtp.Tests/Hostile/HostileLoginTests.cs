using System.Globalization;
using System.Text;
using Postern.Sasl;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>AUTH as no honest client says it: one reply a command, and nobody else notices.</summary>
public sealed class HostileLoginTests
{
    /// <summary>So many errors that it is never their number that ends a session.</summary>
    private static readonly SessionLimits Patient = new() { BadCommands = 1_000_000, Refusals = 1_000_000, FailedLogins = 1_000_000, CommandsPerMessage = 1_000_000 };

    [Theory]
    [InlineData('A')]
    [InlineData('!')]
    [InlineData('=')]
    [InlineData('\u00ff')]
    public async Task Row_28_an_argument_of_any_length_and_alphabet_gets_one_reply(char octet)
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        int[] lengths = [.. Enumerable.Range(1, 300), .. Enumerable.Range(12_260, 40), .. Enumerable.Range(1, 100).Select(static i => i * 199), 20_000];
        foreach (var length in lengths)
        {
            await client.SendAsync($"AUTH PLAIN {new string(octet, length)}\r\nNOOP\r\n", server.Ct);
            Assert.Matches("^(500 5\\.5\\.2|501 5\\.5\\.2|535 5\\.7\\.8) ", await client.ReadReplyAsync(server.Ct));
            Assert.Equal("250 2.0.0 Ok", await client.ReadReplyAsync(server.Ct));
        }

        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task Row_31_bad_base64_in_a_loop_fails_no_login_of_others()
    {
        await using var server = Start();
        using var done = new CancellationTokenSource();
        var attackers = Enumerable.Range(0, 4).Select(_ => AttackAsync()).ToList();
        for (var i = 0; i < 100; i++)
        {
            await using var good = await server.HelloAsync(login: true);
            Assert.Equal("221 2.0.0 Bye", await good.SayAsync("QUIT", server.Ct));
        }

        await done.CancelAsync();
        Assert.All(await Task.WhenAll(attackers), static attempts => Assert.True(attempts > 0));
        Assert.Empty(server.Faults);

        async Task<int> AttackAsync()
        {
            await using var client = await server.HelloAsync();
            var attempts = 0;
            for (; !done.IsCancellationRequested || attempts == 0; attempts++)
            {
                Assert.Equal("334 ", await client.SayAsync("AUTH PLAIN", server.Ct));
                Assert.StartsWith("501 5.5.2 ", await client.SayAsync("=AGF=sa!", server.Ct));
            }

            return attempts;
        }
    }

    [Fact]
    public async Task Row_32_and_33_two_thousand_clients_that_leave_at_the_challenge_leave_nothing()
    {
        await using var server = Start();
        await Parallel.ForAsync(0, 2_000, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = server.Ct }, async (i, _) =>
        {
            var client = await server.HelloAsync();
            Assert.StartsWith("334 ", await client.SayAsync(i % 2 == 0 ? "AUTH PLAIN" : "AUTH LOGIN", server.Ct));
            client.Reset();
        });

        await server.EmptyAsync();
        Assert.Empty(server.Faults);
        Assert.All(server.Closed, static reason => Assert.Equal("lost connection", reason));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Row_35_octets_that_are_no_utf8_in_the_user_name_are_one_refusal_each()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        for (var octet = 0x80; octet <= 0xff; octet++)
        {
            foreach (byte[] message in (byte[][])[[0, (byte)octet, 0, (byte)'x'], [0, (byte)'a', (byte)octet, (byte)octet, 0, (byte)'x'], [0, (byte)'a', 0, (byte)octet]])
                Assert.Matches("^(501 5\\.5\\.2|535 5\\.7\\.8) ", await client.SayAsync($"AUTH PLAIN {Convert.ToBase64String(message)}", server.Ct));
        }

        Assert.Equal("250 2.0.0 Ok", await client.SayAsync("NOOP", server.Ct));
        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task Row_47_malformed_logins_in_groups_get_exactly_as_many_replies()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        string[] malformed = ["AUTH PLAIN Zm9v", "AUTH PLAIN AA==", "AUTH PLAIN !", "AUTH PLAIN ====", "AUTH", "AUTH NONE", "AUTH PLAIN a b"];
        var group = new StringBuilder();
        for (var round = 0; round < 100; round++)
        {
            group.Clear();
            foreach (var line in malformed)
                group.Append(line).Append("\r\n");
            await client.SendAsync(group.Append("NOOP\r\n").ToString(), server.Ct);
            foreach (var _ in malformed)
                Assert.Matches("^50[14] ", await client.ReadReplyAsync(server.Ct));
            Assert.Equal("250 2.0.0 Ok", await client.ReadReplyAsync(server.Ct));
        }
    }

    [Theory]
    [InlineData("alice", "501")]
    [InlineData("\0alice", "501")]
    [InlineData("admin\0alice\0secret", "535")]
    [InlineData("\0alice\0secret\0", "501")]
    [InlineData("\0a\0b\0secret", "501")]
    [InlineData("\0alice\0secret", "235")]
    public async Task Row_48_only_two_nuls_are_a_login_and_nobody_logs_in_as_another(string message, string code)
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        Assert.StartsWith(code, await client.SayAsync($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes(message))}", server.Ct));
    }

    [Fact]
    public async Task Row_49_a_star_cancels_and_the_session_stays()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        foreach (var mechanism in (string[])["PLAIN", "LOGIN", "PLAIN"])
        {
            Assert.StartsWith("334 ", await client.SayAsync($"AUTH {mechanism}", server.Ct));
            Assert.StartsWith("501 5.7.0 ", await client.SayAsync("*", server.Ct));
        }

        Assert.StartsWith("235 ", await client.SayAsync("AUTH PLAIN AGFsaWNlAHNlY3JldA==", server.Ct));
    }

    [Fact]
    public async Task Row_55_a_second_login_is_503_and_numbers_are_passwords_like_others()
    {
        await using var server = Start("12345:67890");
        await using var client = await server.HelloAsync();
        Assert.StartsWith("235 ", await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("12345", "67890")}", server.Ct));
        Assert.StartsWith("503 5.5.1 ", await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("12345", "67890")}", server.Ct));
    }

    [Fact]
    public async Task Row_56_passwords_of_every_length_from_1_to_255_log_in()
    {
        await using var server = Start([.. Enumerable.Range(1, 255).Select(static n => string.Create(CultureInfo.InvariantCulture, $"u{n}:{new string('p', n)}"))]);
        for (var n = 1; n <= 255; n++)
        {
            await using var client = await server.HelloAsync();
            Assert.StartsWith("235 ", await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain($"u{n}", new string('p', n))}", server.Ct));
        }
    }

    private static TestServer Start(params string[] accounts) =>
        TestServer.Start(o => o with { Limits = Patient, Sasl = accounts.Length == 0 ? o.Sasl : new SaslContext { Passwords = new TestPasswords(accounts) } });
}
