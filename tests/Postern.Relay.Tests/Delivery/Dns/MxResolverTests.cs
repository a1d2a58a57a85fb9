using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Dns;

public sealed class MxResolverTests
{
    private static MxResolver Resolver(ScriptedDns dns) => new([dns.EndPoint], TimeSpan.FromSeconds(10), TimeProvider.System, new Random(1));

    private static ValueTask<MxAnswer> FindAsync(MxResolver resolver, string domain = "example.org") => resolver.FindAsync(Domain.Parse(domain), CancellationToken.None);

    [Fact]
    public async Task Exchangers_come_by_preference_and_equal_ones_in_varying_order()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((20, "last.test"), (10, "one.test"), (10, "two.test"), (10, "three.test"), (5, "First.Test")));
        var resolver = Resolver(dns);

        var orders = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            var names = Assert.IsType<MxAnswer.Hosts>(await FindAsync(resolver)).Names;
            Assert.Equal(("first.test", "last.test"), (names[0], names[^1]));
            orders.Add(string.Join(' ', names));
        }

        Assert.True(orders.Count > 1);
        Assert.Single(dns.Questions);
    }

    [Fact]
    public async Task A_domain_without_exchangers_takes_its_mail_itself()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Nothing);
        Assert.Equal(["example.org"], Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns))).Names);
    }

    [Fact]
    public async Task A_null_mx_and_a_name_that_does_not_exist_are_final()
    {
        await using var dns = new ScriptedDns((name, _) => name == "null.test" ? ScriptedDns.Mx((0, "")) : ScriptedDns.NoSuchName);
        Assert.Equal("5.1.10", Assert.IsType<MxAnswer.Never>(await FindAsync(Resolver(dns), "null.test")).Status);
        Assert.Equal("5.1.2", Assert.IsType<MxAnswer.Never>(await FindAsync(Resolver(dns), "gone.test")).Status);
    }

    [Fact]
    public async Task An_exchanger_that_is_an_address_is_not_used()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "127.0.0.1"), (5, "bad name.test")));
        Assert.Equal("5.4.4", Assert.IsType<MxAnswer.Never>(await FindAsync(Resolver(dns))).Status);
    }

    [Fact]
    public async Task Server_failure_and_silence_are_not_final_and_not_remembered()
    {
        var clock = new ManualClock();
        var answers = 0;
        await using var dns = new ScriptedDns((_, _) =>
        {
            switch (++answers)
            {
                case 1:
                    return ScriptedDns.ServerFailure;
                case 2:
                    clock.Advance(TimeSpan.FromSeconds(3));
                    return null;
                default:
                    return ScriptedDns.Mx((0, "mx.test"));
            }
        });
        var resolver = new MxResolver([dns.EndPoint], TimeSpan.FromSeconds(3), clock);

        Assert.Contains("no answer in time", Assert.IsType<MxAnswer.Unavailable>(await FindAsync(resolver)).Reason, StringComparison.Ordinal);
        Assert.IsType<MxAnswer.Hosts>(await FindAsync(resolver));
    }

    [Fact]
    public async Task A_second_resolver_answers_where_the_first_cannot()
    {
        await using var first = new ScriptedDns((_, _) => ScriptedDns.ServerFailure);
        await using var second = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "mx.test")));
        var resolver = new MxResolver([first.EndPoint, second.EndPoint], TimeSpan.FromSeconds(10), TimeProvider.System);

        Assert.IsType<MxAnswer.Hosts>(await FindAsync(resolver));
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_for_again_over_tcp()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx([.. Enumerable.Range(0, 60).Select(i => (i, $"mx{i}.some.long.name.test"))]) with { TruncateUdp = true });
        Assert.Equal(10, Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns))).Names.Length);
        Assert.Equal([false, true], dns.Questions.Select(q => q.IsTcp));
    }

    [Fact]
    public async Task Aliases_are_followed_and_a_circle_of_them_ends()
    {
        await using var dns = new ScriptedDns((name, _) => name == "alias.test"
            ? new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("real.test")), ("real.test", DnsType.Mx, [0, 1, .. ScriptedDns.Name("mx.test")])])
            : new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("b.test")), ("b.test", DnsType.Cname, ScriptedDns.Name(name))]));

        Assert.Equal(["mx.test"], Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns), "alias.test")).Names);
        Assert.Equal(["circle.test"], Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns), "circle.test")).Names);
    }

    [Fact]
    public async Task An_answer_lives_as_long_as_its_ttl()
    {
        var clock = new ManualClock();
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "mx.test")) with { Ttl = 300 });
        var resolver = new MxResolver([dns.EndPoint], TimeSpan.FromSeconds(10), clock);

        await FindAsync(resolver);
        clock.Advance(TimeSpan.FromSeconds(299));
        await FindAsync(resolver);
        Assert.Single(dns.Questions);
        clock.Advance(TimeSpan.FromSeconds(2));
        await FindAsync(resolver);
        Assert.Equal(2, dns.Questions.Count);
    }

    [Fact]
    public async Task Forged_answers_with_another_id_or_question_do_not_count()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "real.test")))
        {
            Strays = question =>
            {
                byte[] otherId = [.. question];
                otherId[0] ^= 1;
                byte[] otherName = [.. question];
                otherName[DnsMessage.HeaderLength + 1] ^= 1;
                return [ScriptedDns.Encode(otherId, ScriptedDns.Mx((0, "evil.test"))), ScriptedDns.Encode(otherName, ScriptedDns.Mx((0, "evil.test"))), [1, 2, 3], question];
            },
        };

        Assert.Equal(["real.test"], Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns))).Names);
    }

    [Fact]
    public async Task An_answer_from_another_port_does_not_count_however_well_it_is_forged()
    {
        await using var dns = new ScriptedDns((_, _) => ScriptedDns.Mx((0, "real.test"))) { Forgeries = static question => [ScriptedDns.Encode(question, ScriptedDns.Mx((0, "evil.test")))] };

        Assert.Equal(["real.test"], Assert.IsType<MxAnswer.Hosts>(await FindAsync(Resolver(dns))).Names);
    }

    [Fact]
    public async Task Addresses_of_both_families_are_found()
    {
        await using var dns = new ScriptedDns((_, type) => type == DnsType.A
            ? ScriptedDns.A("192.0.2.1", "192.0.2.2")
            : new DnsReply(0, [("", DnsType.Aaaa, IPAddress.Parse("2001:db8::1").GetAddressBytes())]));

        var found = Assert.IsType<AddressAnswer.Found>(await Resolver(dns).FindAddressesAsync("mx.test", CancellationToken.None));
        Assert.Equal(["192.0.2.1", "192.0.2.2", "2001:db8::1"], found.Addresses.Select(a => a.ToString()));
    }

    [Theory]
    [InlineData(1, "could not read the question (FORMERR)")]
    [InlineData(2, "could not find out (SERVFAIL)")]
    [InlineData(5, "refuses to answer (REFUSED)")]
    [InlineData(9, "code 9")]
    public async Task A_resolver_that_gives_no_answer_is_told_of_in_words(int code, string words)
    {
        await using var dns = new ScriptedDns((_, _) => new DnsReply(code, []));
        var resolver = new MxResolver([dns.EndPoint], TimeSpan.FromSeconds(20), TimeProvider.System);

        Assert.Contains(words, Assert.IsType<MxAnswer.Unavailable>(await resolver.FindAsync(Domain.Parse("example.org"), TestContext.Current.CancellationToken)).Reason, StringComparison.Ordinal);
    }
}
