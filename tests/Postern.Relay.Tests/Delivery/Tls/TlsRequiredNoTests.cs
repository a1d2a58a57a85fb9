using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>The field TLS-Required (RFC 8689 §3, §4.2.2, §8.4): a sender does without what the receiver's domain publishes, never without what the operator requires.</summary>
public sealed class TlsRequiredNoTests
{
    private static Envelope Waived(Envelope envelope) => envelope with { IsTlsWaived = true };

    [Theory]
    [InlineData("TLS-Required: No\r\n", true)]
    [InlineData("tls-required:no\r\n", true)]
    [InlineData("TLS-Required:\r\n No\r\n", true)]
    [InlineData("TLS-Required: Yes\r\n", false)]
    [InlineData("TLS-Required: No way\r\n", false)]
    [InlineData("TLS-Required:\r\n", false)]
    [InlineData("TLS-Required: No\r\nTLS-Required: No\r\n", false)]
    [InlineData("TLS-Required: No\r\nTLS-Required: Yes\r\n", false)]
    [InlineData("X-TLS-Required: No\r\n", false)]
    [InlineData("Subject: x\r\n", false)]
    public void One_field_with_the_one_word_that_there_is_counts(string field, bool expected) =>
        Assert.Equal(expected, HeaderReview.Of(Encoding.ASCII.GetBytes($"From: a@b.test\r\n{field}Date: x\r\n"), "here.test", isSubmission: true, submitter: null).WaivesTls);

    /// <summary>The certificate is not the one of the records, or there is no TLS at all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_goes_where_the_records_of_the_domain_would_keep_it_back(bool hasTls)
    {
        using var shown = TestCertificate.Create("mx.there.test");
        using var listed = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = hasTls ? shown : null });
        var zones = TlsRig.Zones().Tlsa("mx.there.test", sink.Port, listed);

        var delivery = await TlsRig.DeliverAsync(zones, sink, TlsRig.Policy(TlsLevel.MtaSts, TlsOtherwise.Opportunistic), Waived);

        Assert.Equal((DeliveryOutcome.Delivered, "tls-required-no"), (delivery.Outcome, delivery.TlsPolicy));
        Assert.Equal(hasTls, Assert.Single(sink.Messages).IsTls);
        Assert.Equal(DeliveryOutcome.Deferred, (await TlsRig.DeliverAsync(zones, sink, TlsRig.Policy(TlsLevel.MtaSts, TlsOtherwise.Opportunistic))).Outcome);
    }

    [Theory]
    [InlineData(TlsLevel.Dane, TlsOtherwise.Defer)]
    [InlineData(TlsLevel.Verify, TlsOtherwise.Opportunistic)]
    [InlineData(TlsLevel.Encrypt, TlsOtherwise.Opportunistic)]
    [InlineData(TlsLevel.Dane, TlsOtherwise.Encrypt)]
    public async Task What_this_server_requires_stays_required(TlsLevel level, TlsOtherwise otherwise)
    {
        using var listed = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink();

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, listed), sink, TlsRig.Policy(level, otherwise), Waived);

        Assert.Equal((DeliveryOutcome.Deferred, "starttls-not-supported"), (delivery.Outcome, delivery.TlsFault));
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task Where_it_is_not_honoured_nothing_changes()
    {
        using var shown = TestCertificate.Create("mx.there.test");
        using var listed = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = shown });
        var policy = TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic);

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, listed), sink, policy.WithoutTlsRequiredNo(), Waived);

        Assert.Equal((DeliveryOutcome.Deferred, "dane"), (delivery.Outcome, delivery.TlsPolicy));
        Assert.NotEqual(policy, policy.WithoutTlsRequiredNo());
    }

    [Fact]
    public async Task It_outlives_a_restart()
    {
        using var home = new SpoolHome();
        var envelope = Waived(Samples.Envelope());
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);

        await using var again = home.Open();
        Assert.True(again.Find(envelope.Id)!.Envelope.IsTlsWaived);
    }

    [Theory]
    [InlineData(TlsLevel.MtaSts, TlsOtherwise.Opportunistic, true, "honoured: what the domain publishes does not count", "tls-required-no")]
    [InlineData(TlsLevel.MtaSts, TlsOtherwise.Opportunistic, false, "not honoured: delivery.tls.honour_tls_required_no is false", "dane")]
    [InlineData(TlsLevel.Dane, TlsOtherwise.Defer, true, "not honoured: the policy of this server requires what the domain publishes", "dane")]
    [InlineData(TlsLevel.Verify, TlsOtherwise.Opportunistic, true, "changes nothing: the policy rests on nothing that the domain publishes", "verify")]
    public async Task Asked_in_advance_the_check_says_what_it_changes(TlsLevel level, TlsOtherwise otherwise, bool honours, string words, string heldTo)
    {
        using var shown = TestCertificate.Create("mx.there.test");
        using var listed = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = shown });
        await using var dns = TlsRig.Zones().Tlsa("mx.there.test", sink.Port, listed).Serve();
        var policy = TlsRig.Policy(level, otherwise);
        var options = TlsRig.Options(dns, sink.Port, honours ? policy : policy.WithoutTlsRequiredNo());

        var result = await new TlsCheck(options, policies: null, TimeProvider.System) { IsTlsWaived = true }.RunAsync(Domain.Parse("there.test"), TestContext.Current.CancellationToken);

        Assert.Equal((words, heldTo, heldTo == "tls-required-no"), (result.Waiver, Assert.Single(result.Hosts).Policy, result.WouldGo));
    }
}
