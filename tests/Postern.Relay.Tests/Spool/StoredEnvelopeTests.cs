using System.Net;
using System.Text.Json;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Recovery;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Spool;

public sealed class StoredEnvelopeTests
{
    [Fact]
    public async Task What_was_asked_for_is_there_after_a_restart()
    {
        using var home = new SpoolHome();
        var envelope = Samples.Asking();
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);

        await using var again = home.Open();
        var found = again.Find(envelope.Id)!.Envelope;
        Assert.Equal(envelope.Parameters, found.Parameters);
        Assert.Equal(envelope.Said.RecipientParameters, found.Said.RecipientParameters);
        Assert.Equal(envelope.Deadline, found.Deadline);
        Assert.True(found is { HasUtf8Header: true, IsInbound: true, Tenant: "acme" });
    }

    [Fact]
    public async Task What_is_known_of_the_clients_session_is_there_after_a_restart_and_what_cannot_be_read_of_it_is_not()
    {
        using var home = new SpoolHome();
        var session = new PeerClaims { Name = "far.example", Port = 4711, Protocol = "ESMTP", Helo = "two words=+", ServerAddress = IPAddress.Parse("2001:db8::25"), ServerPort = 587 };
        var envelope = Samples.Envelope() with { ClientSession = session };
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);

        await using var again = home.Open();
        Assert.Equal(session, again.Find(envelope.Id)!.Envelope.ClientSession);
        Assert.Equal(1, StoredEnvelope.Of(envelope, DeliveryState.Fresh(1, envelope.ArrivedAt)).V);
        var damaged = StoredEnvelope.Of(envelope, DeliveryState.Fresh(1, envelope.ArrivedAt)) with { Peer = "COLOUR=blue" };
        Assert.Null(damaged.ToEntry(envelope.Id, 10, new ReplayWords()).Envelope.ClientSession);
    }

    [Fact]
    public async Task Which_rule_held_it_and_why_is_there_after_a_restart_and_a_spool_without_it_is_read()
    {
        using var home = new SpoolHome();
        var envelope = Samples.Envelope();
        var held = DeliveryState.Fresh(1, envelope.ArrivedAt) with { Held = true, HeldFor = new HoldReason("hold", "a \u00fcber new customer", envelope.ArrivedAt) };
        await using (var spool = home.Open())
        {
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);
            await spool.ChangeAsync(envelope.Id, _ => held, TestContext.Current.CancellationToken);
        }

        await using var again = home.Open();
        Assert.Equal(held.HeldFor, again.Find(envelope.Id)!.State.HeldFor);
        var old = StoredState.Of(held) with { HeldRule = null, HeldWhy = null, HeldAt = null };
        Assert.True(old.ToState(1, new ReplayWords()) is { Held: true, HeldFor: null });
    }

    [Fact]
    public async Task Internationalized_addresses_are_there_after_a_restart()
    {
        using var home = new SpoolHome();
        var envelope = Samples.Envelope() with
        {
            Said = new(new ReversePath(Mailbox.Parse("j\u00fcrgen@example.org")), [Mailbox.Parse("\u7528\u6237@example.com")]) { Parameters = new MailParameters { IsUtf8 = true } },
        };
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);

        await using var again = home.Open();
        var found = again.Find(envelope.Id)!.Envelope;
        Assert.Equal(("j\u00fcrgen@example.org", "\u7528\u6237@example.com"), (found.Sender.Address, found.Recipients[0].Address));
        Assert.True(found.Parameters.IsUtf8);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 4)]
    public async Task Where_recipients_come_from_and_what_they_mean_is_there_after_a_restart_and_who_was_expanded_too(bool hasPlace, int version)
    {
        using var home = new SpoolHome();
        var plain = Samples.Envelope();
        var envelope = plain with { Expanded = new Expansion(plain.Id, [Mailbox.Parse("staff@example.org")]) { Open = [0], Rewritten = [0], Places = hasPlace ? [0] : [] } };
        var told = DeliveryState.Fresh(recipients: 1, plain.ArrivedAt) with { Recipients = [new RecipientState(RecipientStatus.Expanded, "sent on")] };
        await using (var spool = home.Open())
        {
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);
            Assert.True(await spool.ChangeAsync(envelope.Id, _ => told, TestContext.Current.CancellationToken));
        }

        await using var again = home.Open();
        var found = again.Find(envelope.Id)!;
        Assert.Equal(plain.Id, found.Envelope.Expanded!.Of);
        Assert.Equal(envelope.Expanded.Through, found.Envelope.Expanded.Through.AsEnumerable());
        Assert.Equal([0], found.Envelope.Expanded.Open.AsEnumerable());
        Assert.Equal(hasPlace ? [0] : [], found.Envelope.Expanded.Places.AsEnumerable());
        Assert.Equal([0], found.Envelope.Expanded.Rewritten.AsEnumerable());
        Assert.Equal(told.Recipients, found.State.Recipients.AsEnumerable());
        Assert.Equal(version, StoredEnvelope.Of(envelope, told).V);
        // Who does not know the word reads that it is done.
        Assert.Equal(RecipientStatus.Delivered, StoredState.Of(told).Recipients![0].Status);
    }

    /// <summary>A reader of version 1 takes an address that it cannot read for damage, and the message for dead.</summary>
    [Theory]
    [InlineData("a..b@example.org", "bob@example.com", 2)]
    [InlineData("lisa@example.org", ".bob@example.com", 2)]
    [InlineData("lisa@example.org", "bob.@example.com", 2)]
    [InlineData("lisa@example.org", "b23456789.b23456789.b23456789.b23456789.b23456789.b23456789.12345@example.com", 2)]
    [InlineData("lisa@example.org", "b23456789.b23456789.b23456789.b23456789.b23456789.b23456789.1234@example.com", 1)]
    [InlineData("\"a..b\"@example.org", "\"bob.\"@example.com", 1)]
    [InlineData("", "bob@example.com", 1)]
    public async Task Addresses_beside_the_RFC_are_there_after_a_restart_and_no_older_program_opens_their_spool(string from, string to, int version)
    {
        using var home = new SpoolHome();
        var envelope = Samples.Envelope() with { Said = Samples.Envelope().Said with { Sender = from.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(from)), Recipients = [Mailbox.Parse(to)] } };
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(10), envelope);

        await using var again = home.Open();
        var found = again.Find(envelope.Id)!.Envelope;
        Assert.Equal((from, to), (found.Sender.Address, found.Recipients[0].Address));
        Assert.Equal(version, StoredEnvelope.Of(found, Samples.FreshState(found)).V);
    }

    /// <summary>The states of one of very many are written as a program before would take for damage.</summary>
    [Theory]
    [InlineData(StoredState.MostListed, 1)]
    [InlineData(StoredState.MostListed + 1, 5)]
    public void No_older_program_opens_a_spool_with_a_message_to_very_many(int recipients, int version)
    {
        var envelope = Samples.Envelope(recipients);
        Assert.Equal(version, StoredEnvelope.Of(envelope, Samples.FreshState(envelope)).V);
    }

    [Fact]
    public void What_mail_or_rcpt_asked_for_is_kept_as_it_was_said_and_marks_the_envelope()
    {
        var envelope = Samples.Asking();
        var stored = StoredEnvelope.Of(envelope, Samples.FreshState(envelope));
        Assert.Equal(3, stored.V);
        Assert.Equal(
            "SMTPUTF8 RET=FULL ENVID=QQ+20314159+2B+3D BODY=BINARYMIME REQUIRETLS BY=10800;NT HOLDUNTIL=2026-11-21T10:00:00Z MT-PRIORITY=-3 AUTH=<>", stored.MailSaid);
        Assert.Equal(["NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@example.com", ""], stored.RcptSaid!);
    }

    [Fact]
    public void An_envelope_of_version_2_is_read_with_all_that_it_asked_for()
    {
        const string Old = """
            {"v":2,"arrived":"2026-11-20T10:00:00.123+01:00","from":"lisa@example.org","to":["r0@example.com","r1@example.com"],"eightBit":true,"inbound":true,
             "mail":{"binary":true,"utf8":true,"utf8Header":true,"ret":"Full","envid":"QQ 314159+=","auth":"","requireTls":true,
                     "holdUntil":"2026-11-21T10:00:00+00:00","by":{"at":"2026-11-20T13:00:00.123+01:00","notify":true,"trace":true}},
             "rcpt":[{"notify":"Success, Delay","orcptType":"rfc822","orcpt":"Bob+x@example.com"},{}],"state":{"next":"2026-11-20T10:00:00+01:00"}}
            """;
        var read = JsonSerializer.Deserialize(Old, SpoolJson.Default.StoredEnvelope)!.ToEntry(QueueId.New(TimeProvider.System), 10, new ReplayWords()).Envelope;
        var asked = Samples.Asking();
        Assert.Equal(asked.Parameters with { Others = ParameterValues.None, HoldFor = null }, read.Parameters);
        Assert.Equal(asked.Said.RecipientParameters, read.Said.RecipientParameters);
        Assert.Equal(asked.Deadline, read.Deadline);
        Assert.True(read is { HasUtf8Header: true, IsInbound: true });
    }

    [Theory]
    [InlineData("XPRIVATE=1", null)]
    [InlineData("MT-PRIORITY=10", null)]
    [InlineData(null, "RRVS=2026-01-01T00:00:00Z")]
    public void A_parameter_that_only_a_newer_version_can_have_written_is_told(string? mail, string? rcpt)
    {
        var envelope = Samples.Envelope();
        var stored = StoredEnvelope.Of(envelope, Samples.FreshState(envelope)) with { V = 3, MailSaid = mail, RcptSaid = rcpt is null ? null : [rcpt] };
        Assert.Equal(mail ?? rcpt, stored.Unknown);
        Assert.Null(StoredEnvelope.Of(Samples.Asking(), Samples.FreshState(envelope)).Unknown);
    }

    [Fact]
    public void An_envelope_of_before_the_parameters_means_none()
    {
        const string Old = """
            {"v":1,"arrived":"2026-11-20T10:00:00+01:00","from":"lisa@example.org","to":["bob@example.com"],"login":"lisa@example.org",
             "client":"192.0.2.7","listener":"submission","eightBit":true,"state":{"next":"2026-11-20T10:00:00+01:00"}}
            """;
        var entry = JsonSerializer.Deserialize(Old, SpoolJson.Default.StoredEnvelope)!.ToEntry(QueueId.New(TimeProvider.System), 10, new ReplayWords());
        Assert.Equal(new MailParameters { Body = BodyType.EightBitMime }, entry.Envelope.Parameters);
        Assert.Same(RecipientParameters.None, entry.Envelope.ParametersOf(0));
        Assert.False(entry.Envelope.IsInbound);
        Assert.Null(entry.Envelope.Deadline);
    }

    [Fact]
    public void An_envelope_that_asks_for_nothing_costs_nothing()
    {
        var envelope = Samples.Envelope();
        var json = JsonSerializer.Serialize(StoredEnvelope.Of(envelope, Samples.FreshState(envelope)), SpoolJson.Default.StoredEnvelope);
        Assert.DoesNotContain("mail\"", json, StringComparison.Ordinal);
        Assert.DoesNotContain("rcpt", json, StringComparison.Ordinal);
        Assert.DoesNotContain("reported", json, StringComparison.Ordinal);
        var first = JsonSerializer.Deserialize(json, SpoolJson.Default.StoredEnvelope)!.ToEntry(envelope.Id, 1, new ReplayWords()).Envelope;
        var second = JsonSerializer.Deserialize(json, SpoolJson.Default.StoredEnvelope)!.ToEntry(envelope.Id, 1, new ReplayWords()).Envelope;
        Assert.Same(first.Parameters, second.Parameters);
    }

    /// <summary>Row 61: what an envelope id or an original recipient hides in xtext cannot become a line anywhere, because no value can hold it.</summary>
    [Theory]
    [InlineData("\r\nX-Evil: 1")]
    [InlineData("a\0b")]
    public void Row_61_a_line_end_in_envid_or_orcpt_is_no_value(string evil)
    {
        Assert.Throws<FormatException>(() => new MailParameters { EnvelopeId = evil });
        Assert.Throws<FormatException>(() => new OriginalRecipient("rfc822", evil));
        Assert.Throws<FormatException>(() => new OriginalRecipient("utf-8", evil));
        Assert.Throws<FormatException>(() => ParameterValues.None.With("X", evil));
        Assert.Throws<FormatException>(() => FormerParameters.Read(new FormerParameters.OfMail { Envid = evil }, is8Bit: false, default, new ReplayWords()));
        Assert.Throws<FormatException>(() => FormerParameters.Read([new FormerParameters.OfRcpt(DsnNotify.Unspecified, "rfc822", evil)], recipients: 1));
        Assert.Throws<FormatException>(() => new ReplayWords().MailParameters("ENVID=" + evil));
    }
}
