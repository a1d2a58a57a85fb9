using System.Net;
using Postern.Configuration;
using Postern.Configuration.Doubts;
using Postern.Machine;
using Postern.Tests.Commands;

namespace Postern.Tests.Configuration;

/// <summary>Networks that are trusted: their files must read, and an address that stands for many is pointed at.</summary>
public sealed class TrustedNetworksTests
{
    private static readonly SharedAddress Bridge = new(IPAddress.Parse("172.17.0.1"), "the address of the bridge docker0 of this machine");
    private static readonly SharedAddress Gateway = new(IPAddress.Parse("fd00::1"), "the gateway that this machine sends by on eth0");

    [Theory]
    [InlineData("networks: [10.0.0.0/8, 172.16.0.0/12]", "networks[1]: 172.16.0.0/12 holds 172.17.0.1, the address of the bridge docker0 of this machine: where it translates")]
    [InlineData("networks: ['fd00::/8']", "networks[0]: fd00::/8 holds fd00::1, the gateway that this machine sends by on eth0")]
    [InlineData("networks: [172.17.0.2/32, 10.0.0.0/8]", null)]
    public void A_network_that_holds_an_address_of_many_is_doubted(string yaml, string? expected)
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml + "\n")).Configuration;
        var doubts = TrustedNetworks.Doubts(configuration, [Bridge, Gateway]).Select(static d => d.ToString()).ToList();
        if (expected is null)
            Assert.Empty(doubts);
        else
            Assert.Contains(expected, Assert.Single(doubts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_names_the_line_of_a_file_that_does_not_read()
    {
        using var run = new CommandRun("network_files: [trusted]\n");
        await File.WriteAllTextAsync(Path.Combine(run.Root, "trusted"), "10.0.0.0/8\n10.1.0.0/8\n", TestContext.Current.CancellationToken);
        var answer = await run.PosternAsync("check");
        Assert.True(answer.ExitCode != 0, answer.Output + answer.Error);
        Assert.Contains("network_files[0]: ", answer.Error + answer.Output, StringComparison.Ordinal);
        Assert.Contains("line 2: '10.1.0.0/8' ", answer.Error + answer.Output, StringComparison.Ordinal);
    }
}
