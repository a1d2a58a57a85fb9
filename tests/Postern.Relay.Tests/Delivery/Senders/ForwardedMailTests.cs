using System.Collections.Concurrent;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Audit;
using Postern.Relay.Tests.Delivery.Aliases;
using Postern.Relay.Tests.Policy;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Senders;

/// <summary>Mail that is forwarded to domains of others has a rewritten sender, and what comes back for that leads to the one it had.</summary>
public sealed class ForwardedMailTests : IDisposable
{
    private static readonly Srs Scheme = new(Domain.Parse("fwd.test"), [new Secret("a secret of twelve")], days: 21);

    private readonly AliasRig files = new();
    private readonly FakeDirectory directory = new FakeDirectory().List("here.test", accept: true).List("sends.test");
    private readonly ManualClock clock = new(AuditDirectory.Noon);
    private readonly ConcurrentQueue<(string From, string[] To)> sent = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task Forwarded_mail_goes_out_as_the_rewritten_sender_and_what_stays_here_as_it_came_each_in_a_transaction_of_its_own()
    {
        await using var rig = Rig("lisa: lisa@far.test, bart@far.test, lisa@inner.test, keep@here.test");
        await SendAsync(rig, "x@else.test", "lisa@here.test");
        var rewritten = Scheme.Rewrite(Mailbox.Parse("x@else.test"), clock.GetUtcNow())!.Address;
        Assert.Equal(
            [(rewritten, "bart@far.test lisa@far.test"), ("x@else.test", "keep@here.test lisa@inner.test")],
            sent.Select(static s => (s.From, string.Join(' ', s.To.Order(StringComparer.Ordinal)))).OrderBy(static s => s.From, StringComparer.Ordinal));
        Assert.Equal(
            [null, rewritten, null, rewritten],
            rig.Audit.Events.OfType<DeliveryEvent>().OrderBy(static e => e.Recipient.Split('@')[1] == "far.test" ? e.Recipient[0] == 'b' ? 1 : 3 : e.Recipient[0] == 'k' ? 0 : 2).Select(static e => e.SentAs));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x@here.test")]
    [InlineData("x@inner.test")]
    [InlineData("x@sends.test")]
    [InlineData("SRS0=AAAA=BB=example.com=x@fwd.test")]
    public async Task Reports_and_senders_of_ours_keep_their_sender(string sender)
    {
        await using var rig = Rig("lisa: lisa@far.test");
        await SendAsync(rig, sender, "lisa@here.test");
        Assert.Equal((sender, "lisa@far.test"), (sent.Single().From, sent.Single().To.Single()));
    }

    [Fact]
    public async Task Mail_that_nobody_forwards_keeps_its_sender_and_a_list_has_its_owner()
    {
        await using var rig = Rig("staff: bart@far.test\nowner-staff: boss@far.test");
        await SendAsync(rig, "x@else.test", "bart@far.test");
        Assert.Equal("x@else.test", sent.Single().From);
        sent.Clear();
        await SendAsync(rig, "x@else.test", "staff@here.test");
        Assert.Equal("owner-staff@here.test", sent.Single().From);
    }

    [Fact]
    public async Task What_comes_back_goes_to_the_sender_it_was_made_of_and_an_answer_with_a_sender_is_forwarded_in_turn()
    {
        await using var rig = Rig("lisa: lisa@far.test");
        var address = Scheme.Rewrite(Mailbox.Parse("x@else.test"), clock.GetUtcNow() - TimeSpan.FromDays(100))!.Address;
        await SendAsync(rig, string.Empty, address);
        Assert.Equal((string.Empty, "x@else.test"), (sent.Single().From, sent.Single().To.Single()));
        sent.Clear();
        await SendAsync(rig, "lisa@far.test", address);
        Assert.Equal((Scheme.Rewrite(Mailbox.Parse("lisa@far.test"), clock.GetUtcNow())!.Address, "x@else.test"), (sent.Single().From, sent.Single().To.Single()));
    }

    [Fact]
    public async Task A_forged_one_that_comes_all_the_same_fails_and_goes_nowhere()
    {
        await using var rig = Rig("lisa: SRS0=AAAA=BB=else.test=x@fwd.test");
        await SendAsync(rig, string.Empty, "SRS0=AAAA=BB=else.test=x@fwd.test");
        Assert.Empty(sent);
        Assert.Equal(("5.1.1", DeliveryOutcome.Failed), rig.Audit.Events.OfType<DeliveryEvent>().Select(static e => (e.Status, e.Outcome)).Single());
    }

    [Fact]
    public async Task Where_the_directory_cannot_say_whose_domain_it_is_the_message_waits()
    {
        await using var rig = Rig("lisa: lisa@far.test");
        directory.IsUnavailable = true;
        rig.Scheduler.Start();
        var id = await rig.AddAsync(From("x@else.test"), "lisa@here.test");
        await rig.Audit.NextAsync<ServerEvent>();
        directory.IsUnavailable = false;
        await UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(61));
            return rig.Spool.Count == 0;
        });
        Assert.StartsWith("SRS0=", sent.Single().From, StringComparison.Ordinal);
        Assert.NotEqual(default, id);
    }

    private static Func<Envelope, Envelope> From(string sender) => envelope => envelope with
    {
        Said = envelope.Said with { Sender = sender.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(sender)) },
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

    private static async Task SendAsync(DeliveryRig rig, string from, string to)
    {
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync(From(from), to));
        await UntilAsync(() => rig.Spool.Count == 0);
    }

    private DeliveryRig Rig(string aliases)
    {
        var options = DeliveryRig.Options(new Route("*", "smtp://fake.test")) with
        {
            Aliases = AliasRig.Read(files.Aliases(aliases)).With(Scheme),
            Srs = Scheme,
            Domains = [Domain.Parse("inner.test")],
            Directory = directory,
        };
        return new DeliveryRig(options, clock, transport: new FakeTransport((_, message) =>
        {
            sent.Enqueue((message.Sender.Address, [.. message.Recipients.Select(static r => r.Address)]));
            return Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true));
        }));
    }
}
