using Postern.Relay.Envelopes;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery.Senders;

/// <summary>Addresses of the sender rewriting scheme, written and read.</summary>
public sealed class SrsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Srs Ours = Make("a secret of twelve");

    /// <summary>Computed by another program, as libsrs2 has it.</summary>
    [Theory]
    [InlineData("Lisa@example.com", "SRS0=uKF8=BB=example.com=Lisa@fwd.test")]
    [InlineData("SRS0=HHHH=TT=example.com=Lisa@first.test", "SRS1=3tBl=first.test==HHHH=TT=example.com=Lisa@fwd.test")]
    [InlineData("SRS0+HHHH=TT=example.com=Lisa@first.test", "SRS1=iEhk=first.test=+HHHH=TT=example.com=Lisa@fwd.test")]
    [InlineData("SRS1=xxxx=first.test==HHHH=TT=example.com=Lisa@second.test", "SRS1=3tBl=first.test==HHHH=TT=example.com=Lisa@fwd.test")]
    public void A_sender_is_written_as_others_write_it(string sender, string rewritten) =>
        Assert.Equal(rewritten, Ours.Rewrite(Mailbox.Parse(sender), Now)!.Address);

    [Theory]
    [InlineData("lisa@example.com")]
    [InlineData("a=b=c@example.com")]
    [InlineData("a..b.@example.com")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("\"a@b\\\"c\\\\\"@example.com")]
    [InlineData("lisa+news@[192.0.2.1]")]
    [InlineData("lisa@[IPv6:2001:db8::1]")]
    [InlineData("grüße@example.com")]
    [InlineData("SRS0-x=y=example.com=lisa@first.test")]
    [InlineData("SRS1=nothing@first.test")]
    [InlineData("SRS0@first.test")]
    public void What_was_written_leads_back(string sender)
    {
        var rewritten = Ours.Rewrite(Mailbox.Parse(sender), Now)!;
        Assert.Equal(Mailbox.Parse(sender), Leads(Ours.Read(rewritten, Now)));
    }

    [Fact]
    public void One_that_was_rewritten_elsewhere_before_leads_to_the_host_that_was_first()
    {
        var again = Ours.Rewrite(Mailbox.Parse("SRS1=xxxx=first.test==HHHH=TT=example.com=lisa@second.test"), Now)!;
        Assert.Equal("SRS0=HHHH=TT=example.com=lisa@first.test", Leads(Ours.Read(again, Now)).Address);
    }

    [Theory]
    [InlineData('=')]
    [InlineData('-')]
    [InlineData('+')]
    public void Case_may_be_lost_and_the_first_separator_may_be_another(char separator)
    {
        var said = Ours.Rewrite(Mailbox.Parse("lisa@example.com"), Now)!.Address.ToLowerInvariant().Replace("srs0=", $"srs0{separator}", StringComparison.Ordinal);
        Assert.Equal("lisa@example.com", Leads(Ours.Read(Mailbox.Parse(said), Now)).Address);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(21, true)]
    [InlineData(22, false)]
    [InlineData(500, false)]
    [InlineData(-1, true)]
    [InlineData(-2, false)]
    public void An_address_is_good_for_its_days(int later, bool isTaken)
    {
        var address = Ours.Rewrite(Mailbox.Parse("lisa@example.com"), Now)!;
        var answer = Ours.Read(address, Now + TimeSpan.FromDays(later));
        if (isTaken)
            Assert.IsType<SrsAnswer.Leads>(answer);
        else
            Assert.Contains("more than 21 days ago", Assert.IsType<SrsAnswer.Refused>(answer).Why, StringComparison.Ordinal);
        Assert.IsType<SrsAnswer.Leads>(Ours.Read(address, now: null));
    }

    /// <summary>Days are counted modulo 1024: around that too.</summary>
    [Fact]
    public void The_days_go_round()
    {
        for (var day = 0; day < 1100; day++)
        {
            var made = Now + TimeSpan.FromDays(day);
            var address = Ours.Rewrite(Mailbox.Parse("lisa@example.com"), made)!;
            Assert.IsType<SrsAnswer.Leads>(Ours.Read(address, made + TimeSpan.FromDays(20)));
            Assert.IsType<SrsAnswer.Refused>(Ours.Read(address, made + TimeSpan.FromDays(22)));
        }
    }

    [Theory]
    [InlineData("SRS0=AAAA=BB=example.com=lisa@fwd.test")]
    [InlineData("SRS0=uKF8=BB=example.com=bart@fwd.test")]
    [InlineData("SRS0=uKF8=BC=example.com=Lisa@fwd.test")]
    [InlineData("SRS0=uKF8=BB=example.net=Lisa@fwd.test")]
    [InlineData("SRS0=uKF8=B1=example.com=Lisa@fwd.test")]
    [InlineData("SRS0=uKF=BB=example.com=Lisa@fwd.test")]
    [InlineData("SRS0==BB=example.com=Lisa@fwd.test")]
    [InlineData("SRS0=uKF8=BB=example.com=@fwd.test")]
    [InlineData("SRS0=uKF8=BB=example.com@fwd.test")]
    [InlineData("SRS0=x@fwd.test")]
    [InlineData("SRS1=x@fwd.test")]
    [InlineData("SRS1=AAAA=first.test==HHHH=TT=example.com=Lisa@fwd.test")]
    [InlineData("SRS1=3tBl=other.test==HHHH=TT=example.com=Lisa@fwd.test")]
    [InlineData("SRS1=3tBl=first.test=HHHH=TT=example.com=Lisa@fwd.test")]
    [InlineData("SRS0=uKFß=BB=example.com=Lisa@fwd.test")]
    [InlineData("\"SRS0=AAAA=BB=example.com=a b\"@fwd.test")]
    public void What_was_not_made_here_is_refused(string address) => Assert.IsType<SrsAnswer.Refused>(Ours.Read(Mailbox.Parse(address), Now));

    [Theory]
    [InlineData("lisa@fwd.test")]
    [InlineData("SRS0@fwd.test")]
    [InlineData("SRS0=@fwd.test")]
    [InlineData("SRS2=AAAA=BB=example.com=lisa@fwd.test")]
    [InlineData("SRS0_AAAA=BB=example.com=lisa@fwd.test")]
    [InlineData("SRS0=uKF8=BB=example.com=Lisa@other.test")]
    public void Other_addresses_are_none_of_it(string address) => Assert.Null(Ours.Read(Mailbox.Parse(address), Now));

    [Fact]
    public void An_older_secret_verifies_and_does_not_write()
    {
        var address = Ours.Rewrite(Mailbox.Parse("lisa@example.com"), Now)!;
        var later = Make("another of twelve letters", "a secret of twelve");
        Assert.Equal("lisa@example.com", Leads(later.Read(address, Now)).Address);
        Assert.NotEqual(address, later.Rewrite(Mailbox.Parse("lisa@example.com"), Now));
        Assert.IsType<SrsAnswer.Refused>(Make("another of twelve letters").Read(address, Now));
    }

    [Fact]
    public void What_would_be_too_long_is_not_written() =>
        Assert.Null(Ours.Rewrite(Mailbox.Parse($"{new string('a', 230)}@example.com"), Now));

    private static Srs Make(params string[] secrets) => new(Domain.Parse("fwd.test"), [.. secrets.Select(static s => new Secret(s))], days: 21);

    private static Mailbox Leads(SrsAnswer? answer) => Assert.IsType<SrsAnswer.Leads>(answer).To;
}
