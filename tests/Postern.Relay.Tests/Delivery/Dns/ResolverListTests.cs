using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Dns;

/// <summary>Which resolvers are asked, and what their silence is worth.</summary>
public sealed class ResolverListTests
{
    private static readonly IPEndPoint Named = new(IPAddress.Parse("192.0.2.53"), 5353);

    private static ResolverList OfFile(string path, TimeProvider clock) => new([], isValidating: false, path, clock);

    private static string[] Texts(ResolverList list) => [.. list.Now().Servers.Select(static s => s.ToString())];

    [Fact]
    public async Task Resolv_conf_is_read_again_when_it_changes()
    {
        using var directory = new TemporaryDirectory();
        var clock = new ManualClock();
        var file = Path.Combine(directory.Path, "resolv.conf");
        await File.WriteAllTextAsync(file, "nameserver 192.0.2.1\n");
        var list = OfFile(file, clock);
        Assert.Equal(["192.0.2.1:53"], Texts(list));

        await File.WriteAllTextAsync(file, "nameserver 192.0.2.2\nnameserver 2001:db8::2\n");
        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(["192.0.2.2:53", "[2001:db8::2]:53"], Texts(list));
    }

    [Fact]
    public void A_missing_resolv_conf_means_loopback_and_one_that_cannot_be_read_means_nothing()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(["127.0.0.1:53"], Texts(OfFile(Path.Combine(directory.Path, "none"), new ManualClock())));

        // A directory is a file that cannot be read, even by root.
        var (servers, problem) = OfFile(directory.Path, new ManualClock()).Now();
        Assert.Empty(servers);
        Assert.Contains("cannot be read", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_now_leaves_the_resolvers_of_before()
    {
        using var directory = new TemporaryDirectory();
        var clock = new ManualClock();
        var file = Path.Combine(directory.Path, "resolv.conf");
        await File.WriteAllTextAsync(file, "nameserver 192.0.2.1\n");
        var list = OfFile(file, clock);
        list.Now();

        File.Delete(file);
        Directory.CreateDirectory(file);
        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(["192.0.2.1:53"], Texts(list));
    }

    [Fact]
    public async Task A_resolver_list_that_cannot_be_read_puts_mail_off_and_is_no_domain_that_does_not_exist()
    {
        using var directory = new TemporaryDirectory();
        var resolver = new MxResolver(OfFile(directory.Path, TimeProvider.System), TimeSpan.FromSeconds(1), TimeProvider.System);

        var answer = await resolver.FindAsync(Domain.Parse("example.org"), CancellationToken.None);

        Assert.Contains("cannot be read", Assert.IsType<MxAnswer.Unavailable>(answer).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolvers_that_are_named_stand_alone()
    {
        var list = new ResolverList([Named], isValidating: true, "/nowhere/resolv.conf", new ManualClock());

        Assert.Equal(["192.0.2.53:5353"], Texts(list));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task An_answer_is_authentic_by_the_word_of_a_resolver_on_loopback_that_says_so(bool says, bool isAuthentic)
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "mx.test")) with { IsAuthentic = says });
        var resolver = new MxResolver([dns.EndPoint], TimeSpan.FromSeconds(10), TimeProvider.System);

        Assert.Equal(isAuthentic, Assert.IsType<MxAnswer.Hosts>(await resolver.FindAsync(Domain.Parse("example.org"), CancellationToken.None)).IsAuthentic);
    }

    [Fact]
    public void A_resolver_elsewhere_is_believed_only_where_it_is_named_as_one_that_validates()
    {
        Assert.False(new ResolverList([Named], isValidating: false, string.Empty, new ManualClock()).Believes(Named));
        Assert.True(new ResolverList([Named], isValidating: true, string.Empty, new ManualClock()).Believes(Named));
    }
}
