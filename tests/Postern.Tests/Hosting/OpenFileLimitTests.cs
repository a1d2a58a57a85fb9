using Postern.Machine;

namespace Postern.Tests.Hosting;

public sealed class OpenFileLimitTests
{
    [Theory]
    [InlineData("256", "511", false, false)]
    [InlineData("256", "512", true, false)]
    [InlineData("512", "999", true, false)]
    [InlineData("512", "1000", true, true)]
    [InlineData("1024", "unlimited", true, true)]
    public void The_hard_limit_says_whether_a_server_can_run_and_whether_clients_will_wait(string soft, string hard, bool runs, bool suffices)
    {
        var limits = $"Limit                     Soft Limit           Hard Limit           Units     \nMax open files            {soft}                 {hard}              files     \n";

        Assert.Equal(runs, OpenFileLimit.WhyNot(limits) is null);
        Assert.Equal(suffices, OpenFileLimit.Doubt(connections: 1000, limits) is null);
    }

    [Theory]
    [InlineData("2500", false)]
    [InlineData("2512", true)]
    public void Connections_to_next_hops_need_files_beside_those_of_a_server_at_rest(string hard, bool suffices) =>
        Assert.Equal(suffices, OpenFileLimit.DoubtOutward(connections: 2000, $"Max open files            1024                 {hard}              files     \n") is null);

    [Fact]
    public void What_cannot_be_known_stops_no_start() => Assert.Null(OpenFileLimit.WhyNot("something else\n"));
}
