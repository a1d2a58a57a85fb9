using System.Collections.Concurrent;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Aliases;
using Postern.Relay.Tests.Spool;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Senders;

/// <summary>A sender for each recipient (XVERP), as the next hop and whoever hears of failures see it.</summary>
public sealed class VerpTests : IDisposable
{
    private static readonly Srs Scheme = new(Domain.Parse("fwd.test"), [new Secret("a secret of twelve")], days: 21);

    private readonly AliasRig files = new();
    private readonly ConcurrentQueue<(string From, string[] To)> sent = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData("list@here.test", "lisa@x.test", "+=", "list+lisa=x.test@here.test")]
    [InlineData("list@here.test", "lisa+news@x.test", "-+", "list-lisa+news+x.test@here.test")]
    [InlineData("\"a list\"@here.test", "lisa@x.test", "+=", "\"a list+lisa=x.test\"@here.test")]
    [InlineData("list@here.test", "\"a@b\"@x.test", "+=", "\"list+a@b=x.test\"@here.test")]
    [InlineData("list@here.test", "lisa@[192.0.2.1]", "+=", "\"list+lisa=[192.0.2.1]\"@here.test")]
    public void The_recipient_stands_in_the_sender(string sender, string recipient, string delimiters, string made) =>
        Assert.Equal(made, Verp.Of(Mailbox.Parse(sender), Mailbox.Parse(recipient), VerpDelimiters.Read(delimiters)!)!.Address);

    [Fact]
    public void What_would_be_too_long_is_not_made() =>
        Assert.Null(Verp.Of(Mailbox.Parse("list@here.test"), Mailbox.Parse($"{new string('a', 230)}@example.com"), VerpDelimiters.Usual));

    /// <summary>The transcript of the next hop, which would take XVERP itself.</summary>
    [Fact]
    public async Task Each_recipient_has_a_transaction_with_a_sender_of_its_own()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", "XVERP"] });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync(ByVerp("list@here.test", "+="), "lisa@x.test", "bart@x.test", "homer@y.test");
        await rig.Spool.GoneAsync(id);

        Assert.Equal(
            [
                ("MAIL FROM:<list+bart=x.test@here.test>", "RCPT TO:<bart@x.test>"),
                ("MAIL FROM:<list+homer=y.test@here.test>", "RCPT TO:<homer@y.test>"),
                ("MAIL FROM:<list+lisa=x.test@here.test>", "RCPT TO:<lisa@x.test>"),
            ],
            sink.Messages.Select(static m => (m.MailLine, Assert.Single(m.RcptLines))).OrderBy(static m => m.MailLine, StringComparer.Ordinal));
        Assert.Equal(
            ["list+bart=x.test@here.test", "list+homer=y.test@here.test", "list+lisa=x.test@here.test"],
            rig.Audit.Events.OfType<DeliveryEvent>().Select(static e => e.SentAs).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_asked_for_is_there_after_a_restart()
    {
        using var home = new SpoolHome();
        var envelope = ByVerp("list@here.test", "-=")(Samples.Envelope());
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);
        await using var again = home.Open();
        Assert.Equal(new VerpDelimiters('-', '='), again.Find(envelope.Id)!.Envelope.Parameters.Verp);
    }

    [Fact]
    public async Task Each_failure_is_reported_by_itself_to_the_sender_of_its_recipient()
    {
        await using var rig = Rig(aliases: null);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(ByVerp("list@here.test", "+="), "no@x.test", "bart@x.test", "no@y.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(
            ["list+no=x.test@here.test", "list+no=y.test@here.test"],
            sent.Where(static s => s.From.Length == 0).Select(static s => s.To.Single()).Order(StringComparer.Ordinal));
        Assert.Equal(2, rig.Audit.Events.OfType<BounceEvent>().Count());
    }

    [Fact]
    public async Task Behind_a_forward_the_sender_names_the_recipient_whom_the_list_knows()
    {
        await using var rig = Rig("lisa: lisa@far.test\nbart: bart@far.test, bart@x.test");
        rig.Scheduler.Start();
        var id = await rig.AddAsync(ByVerp("list@here.test", "+="), "lisa@here.test", "bart@here.test", "homer@x.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(
            [
                ("list+bart=here.test@here.test", "bart@far.test"),
                ("list+bart=here.test@here.test", "bart@x.test"),
                ("list+homer=x.test@here.test", "homer@x.test"),
                ("list+lisa=here.test@here.test", "lisa@far.test"),
            ],
            sent.SelectMany(static s => s.To.Select(to => (s.From, to))).OrderBy(static s => s.From, StringComparer.Ordinal).ThenBy(static s => s.to, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_list_whose_file_says_so_goes_to_each_member_from_its_owner_and_reports_lead_to_the_owner()
    {
        await using var rig = Rig("staff: lisa@x.test, no@y.test\nowner-staff: boss@z.test", byVerp: true);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("staff@here.test"));
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(
            [
                // The report to owner-staff+no=y.test@here.test, which is the owner's.
                (string.Empty, "boss@z.test"),
                ("owner-staff+lisa=x.test@here.test", "lisa@x.test"),
                ("owner-staff+no=y.test@here.test", "no@y.test"),
            ],
            sent.SelectMany(static s => s.To.Select(to => (s.From, to))).OrderBy(static s => s.From, StringComparer.Ordinal));
        Assert.Contains(rig.Audit.Events.OfType<BounceEvent>(), static e => e.To == "owner-staff+no=y.test@here.test");
    }

    [Fact]
    public async Task An_alias_in_such_a_file_is_no_list_and_keeps_its_sender_as_the_null_sender_does()
    {
        await using var rig = Rig("root: lisa@x.test\nstaff: bart@x.test\nowner-staff: boss@z.test", byVerp: true);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("root@here.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync(static e => e with { Said = e.Said with { Sender = ReversePath.Null } }, "staff@here.test"));
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(["", "a@here.test"], sent.Select(static s => s.From).Order(StringComparer.Ordinal));
    }

    private static Func<Envelope, Envelope> ByVerp(string sender, string delimiters) => envelope => envelope with
    {
        Said = envelope.Said with
        {
            Sender = new ReversePath(Mailbox.Parse(sender)),
            Parameters = envelope.Parameters with { Verp = VerpDelimiters.Read(delimiters) },
        },
    };

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }

    private DeliveryRig Rig(string? aliases, bool byVerp = false)
    {
        var options = DeliveryRig.Options(new Route("*", "smtp://fake.test")) with
        {
            Aliases = aliases is null ? AliasTable.Empty : AliasRig.Read(files.Aliases(aliases) with { SendsByVerp = byVerp }),
            Srs = Scheme,
            Domains = [Domain.Parse("here.test")],
        };
        return new DeliveryRig(options, transport: new FakeTransport((_, message) =>
        {
            sent.Enqueue((message.Sender.Address, [.. message.Recipients.Select(static r => r.Address)]));
            return Task.FromResult(new DeliveryReport(
                [.. message.Recipients.Select(static r => r.LocalPart == "no" ? FakeTransport.Never : FakeTransport.Delivered)], Reached: true));
        }));
    }
}
