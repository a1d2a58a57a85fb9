using Postern.Relay.Policy;
using Postern.Relay.Policy.Access;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Networks in files: how they read, that a change counts, and that a broken file trusts nobody anew.</summary>
public sealed class NetworkFileTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Networks_addresses_and_comments_read_and_so_does_a_file_for_Postfix()
    {
        string[] lines = ["# ours", "", "192.0.2.0/24", "  198.51.100.7  # the scanner", "2001:db8::/32\tOK", "::1 permit", "::ffff:10.0.0.0/104"];
        Assert.Equal(["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32", "::1/128", "10.0.0.0/8"], NetworkFile.ReadNetworks(lines).Select(static n => n.ToString()));
    }

    [Theory]
    [InlineData("192.0.2.1/24", "line 2: '192.0.2.1/24' ")]
    [InlineData("192.0.2.0/33", "line 2: '192.0.2.0/33' ")]
    [InlineData("example.org", "line 2: 'example.org' ")]
    [InlineData("!192.0.2.7", "line 2: '!192.0.2.7' ")]
    [InlineData("192.0.2.0/24 REJECT", "line 2: 'REJECT' behind a network: here is what to trust, and nothing else")]
    public void What_does_not_read_is_named_with_its_line(string line, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<InvalidDataException>(() => NetworkFile.ReadNetworks(["10.0.0.0/8", line])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_change_counts_within_two_seconds_and_a_broken_one_leaves_what_was()
    {
        var policy = Policy("10.0.0.0/8");
        Assert.Equal("permit", await AskAsync(policy, "10.9.9.9"));
        Assert.Equal("550", await AskAsync(policy, "192.0.2.7"));

        await ChangeAsync(policy, "192.0.2.0/24\n");
        Assert.Equal("permit", await AskAsync(policy, "192.0.2.7"));
        Assert.Equal("550", await AskAsync(policy, "10.9.9.9"));

        await ChangeAsync(policy, "192.0.2.0/24\n0.0.0.0\\0\n");
        Assert.Equal("permit", await AskAsync(policy, "192.0.2.7"));
        Assert.Equal("550", await AskAsync(policy, "198.51.100.7"));

        File.Delete(file);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("permit", await AskAsync(policy, "192.0.2.7"));
        Assert.Equal("550", await AskAsync(policy, "198.51.100.7"));
    }

    /// <summary>Nobody knows who is trusted: no yes, and no final no.</summary>
    [Fact]
    public async Task While_it_could_never_be_read_the_answer_is_later()
    {
        var policy = Policy("10.0.0.0/8\nnonsense\n");
        Assert.Equal("451", await AskAsync(policy, "10.9.9.9"));
        await ChangeAsync(policy, "10.0.0.0/8\n");
        Assert.Equal("permit", await AskAsync(policy, "10.9.9.9"));
    }

    private RelayPolicy Policy(string content)
    {
        File.WriteAllText(file, content);
        return new RelayPolicy(new PolicyOptions { NetworkFiles = [file] }, new Judge().Directory, new RecordingAuditLog(), clock);
    }

    private async Task ChangeAsync(RelayPolicy policy, string content)
    {
        await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(1));
        await AskAsync(policy, "192.0.2.7"); // sees that it has changed
        clock.Advance(TimeSpan.FromSeconds(1));
    }

    private static async Task<string> AskAsync(RelayPolicy policy, string client)
    {
        var decision = await policy.DryRunAsync(Judge.Facts(client), Judge.Path("x@foreign.example"), Mailbox.Parse("y@far.example"), TestContext.Current.CancellationToken);
        return decision.IsPermit ? "permit" : decision.Reply?.Code.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none";
    }
}
