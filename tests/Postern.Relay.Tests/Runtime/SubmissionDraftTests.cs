using System.Net;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Delivery;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

public sealed class SubmissionDraftTests
{
    private const string Complete = "From: lisa@example.org\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n";

    private readonly MemorySpool spool = new();
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 11, 20, 10, 5, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_submission_gets_authentication_results_and_received_on_top_and_is_otherwise_kept_octet_for_octet()
    {
        var content = Complete + "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nbody\r\n.\r\n\0\u00ff end without a line end";
        var (outcome, stored) = await SubmitAsync(content, LoggedIn());

        var id = Assert.IsType<StoreOutcome.Stored>(outcome).Id;
        Assert.Equal(
            "Authentication-Results: mail.example.org; auth=pass (plain)\r\n"
            + "\tsmtp.auth=lisa@example.org smtp.mailfrom=lisa@example.org\r\n"
            + "Received: from laptop ([192.0.2.7]) by mail.example.org with ESMTPSA\r\n"
            + $"\t(TLSv1.3 TLS_AES_128_GCM_SHA256) id {id}\r\n"
            + "\tfor <bart@example.net>; Fri, 20 Nov 2026 10:05:00 +0000\r\n"
            + content,
            stored);
    }

    [Theory]
    [InlineData("FRONT DESK PC", "\"FRONT DESK PC\"")]
    [InlineData("DOM\\PC", "\"DOM?PC\"")]
    [InlineData("x ([192.0.2.1]) by mail.example.org with ESMTPSA id 1; Fri, 20 Nov 2026", "\"x??[192.0.2.1]??by?mail.example.org?with?ESMTPSA?id?1??Fri??20?Nov?2026\"")]
    public async Task Whatever_a_client_calls_itself_received_says_what_we_know_and_no_more(string name, string word)
    {
        var client = Stranger();
        client.Session.HeloName = name;
        var (_, stored) = await SubmitAsync(Complete + "\r\n", client);
        Assert.StartsWith($"Received: from {word}", stored, StringComparison.Ordinal);
        var field = stored[..(stored.Length - Complete.Length - 2)].Replace("\r\n\t", " ", StringComparison.Ordinal);
        Assert.StartsWith($"Received: from {word} ([192.0.2.7]) by mail.example.org with ESMTP id ", field, StringComparison.Ordinal);
        Assert.EndsWith("for <bart@example.net>; Fri, 20 Nov 2026 10:05:00 +0000\r\n", field, StringComparison.Ordinal);
    }

    [Fact]
    public async Task However_the_content_is_cut_the_same_is_stored()
    {
        var content = Complete + "Authentication-Results: mail.example.org; auth=pass\r\n smtp.auth=admin\r\nSubject: x\r\n\r\nbody\r\n";
        var (_, whole) = await SubmitAsync(content, LoggedIn());
        for (var size = 1; size < 40; size++)
        {
            var (_, cut) = await SubmitAsync(content, LoggedIn(), size);
            Assert.Equal(WithoutId(whole), WithoutId(cut));
        }
    }

    [Fact]
    public async Task Forged_results_with_our_own_name_are_taken_out_and_those_of_others_stay()
    {
        var content = "Authentication-Results: MAIL.example.org;\r\n auth=pass smtp.auth=admin\r\n"
            + "Authentication-Results: other.example; spf=pass\r\n" + Complete + "authentication-results: (x) mail.example.org; none\r\n\r\n";
        var (_, stored) = await SubmitAsync(content, LoggedIn());
        Assert.DoesNotContain("admin", stored);
        Assert.Contains("Authentication-Results: other.example; spf=pass\r\n", stored);
        Assert.Equal(2, stored.Split("Authentication-Results:", StringSplitOptions.None).Length - 1);
        Assert.DoesNotContain("none\r\n", stored);
    }

    [Theory]
    [InlineData("Subject: x\nAuthentication-Results: mail.example.org; auth=pass\r\n\r\nbody\r\n")]
    [InlineData("Subject: x\r\n y\rAuthentication-Results: mail.example.org; auth=pass\r\n\r\nbody\r\n")]
    [InlineData("Subject: x\n\nno end of a header section")]
    [InlineData("Subject: x\0\r\n\r\nbody\r\n")]
    [InlineData("Subject: x\r\n \0\r\nTo: y\r\n")]
    public async Task A_lone_line_end_in_the_header_hides_no_field_even_where_the_body_may_hold_any_octet(string content)
    {
        var (outcome, _) = await SubmitAsync(content, LoggedIn());
        Assert.Equal(554, Assert.IsType<StoreOutcome.Refused>(outcome).Reply.Code);
        var (body, _) = await SubmitAsync("Subject: x\r\n\r\n\n\r\0\nbody", LoggedIn());
        Assert.IsType<StoreOutcome.Stored>(body);
    }

    [Fact]
    public async Task A_submission_without_date_and_message_id_gets_both()
    {
        var (outcome, stored) = await SubmitAsync("From: lisa@example.org\r\n\r\nbody\r\n", LoggedIn());
        var id = Assert.IsType<StoreOutcome.Stored>(outcome).Id;
        Assert.EndsWith($"From: lisa@example.org\r\nDate: Fri, 20 Nov 2026 10:05:00 +0000\r\nMessage-ID: <{id}@mail.example.org>\r\n\r\nbody\r\n", stored);
    }

    [Fact]
    public async Task Mail_that_merely_arrives_is_not_completed_and_gets_no_results()
    {
        var (_, stored) = await SubmitAsync("From: a@example.com\r\n\r\nbody\r\n", Stranger());
        Assert.StartsWith("Received: from laptop ([192.0.2.7]) by mail.example.org with ESMTP\r\n\tid ", stored);
        Assert.EndsWith("+0000\r\nFrom: a@example.com\r\n\r\nbody\r\n", stored);
    }

    /// <summary>Whatever the mechanism calls itself, and whatever name it gave.</summary>
    [Theory]
    [InlineData("ANONYMOUS", AnonymousMechanism.User)]
    [InlineData("anonymous", "lisa@example.org")]
    [InlineData("X-GUEST", AnonymousMechanism.User)]
    public async Task Row_200_anonymous_is_no_login_in_trace_fields_envelopes_and_the_log(string mechanism, string user)
    {
        var client = LoggedIn();
        client.Session.Identity = new SaslIdentity(user, user);
        client.Session.Mechanism = mechanism;
        client.Rule = "reject_unauth_destination";
        var audit = new RecordingAudit();
        var entry = await EnvelopeAsync(MailParameters.None, RecipientParameters.None, client, "From: a@example.com\r\n\r\n", audit);

        Assert.True(entry.Envelope is { Login: null, IsInbound: true });
        Assert.Null(Assert.Single(audit.Events.OfType<AcceptedEvent>()).User);
        var stored = await NewestAsync();
        Assert.StartsWith("Received: from laptop ([192.0.2.7]) by mail.example.org with ESMTPS\r\n", stored);
        Assert.DoesNotContain("auth=pass", stored);
        Assert.DoesNotContain("Message-ID", stored);
    }

    [Theory]
    [InlineData("just text\r\n")]
    [InlineData("\r\njust text\r\n")]
    [InlineData(" looks: folded\r\n")]
    public async Task A_body_without_header_stays_a_body(string content)
    {
        var (_, stored) = await SubmitAsync(content, LoggedIn());
        var body = stored[(stored.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.Equal(content.StartsWith("\r\n", StringComparison.Ordinal) ? content[2..] : content, body);
    }

    [Fact]
    public async Task A_header_without_a_body_is_stored()
    {
        var (_, stored) = await SubmitAsync(Complete, LoggedIn());
        Assert.EndsWith(Complete + "\r\n", stored);
    }

    [Fact]
    public async Task Fifty_hops_pass_and_one_more_is_a_loop()
    {
        var hops = string.Concat(Enumerable.Repeat("Received: from a by b; x\r\n", 50));
        Assert.IsType<StoreOutcome.Stored>((await SubmitAsync(hops + Complete + "\r\n", LoggedIn())).Outcome);
        var refused = Assert.IsType<StoreOutcome.Refused>((await SubmitAsync(hops + "received: from a by b; x\r\n" + Complete + "\r\n", LoggedIn())).Outcome);
        Assert.Equal("554 5.4.6", refused.Reply.ToString()[..9]);
    }

    [Fact]
    public async Task Row_83_a_header_of_half_a_million_fields_is_refused_and_nothing_is_kept()
    {
        var (outcome, _) = await SubmitAsync(string.Concat(Enumerable.Repeat("To: a@b\r\n", 500_000)) + "\r\n", LoggedIn(), size: 16 * 1024);
        Assert.Equal("552 5.3.4", Assert.IsType<StoreOutcome.Refused>(outcome).Reply.ToString()[..9]);
        Assert.Equal(0, spool.Count);
    }

    /// <summary>Row 8: the fields we write on top make no line start, and no end, out of content that begins with a dot or a lone line end.</summary>
    [Theory]
    [InlineData(".\r\nMAIL FROM:<x@y>\r\n")]
    [InlineData("\r\n.\r\nMAIL FROM:<x@y>\r\n")]
    [InlineData("\n.\r\nMAIL FROM:<x@y>\r\n")]
    [InlineData("\r.\rMAIL FROM:<x@y>\r\n")]
    [InlineData("Subject: x\r\n\r\n.\r\nMAIL FROM:<x@y>\r\n")]
    [InlineData("Subject: x\r\n\r\n\r.\n\rMAIL FROM:<x@y>\r\n\r")]
    [InlineData("Subject: x\r\n\r\n\n\n.\n")]
    public async Task Row_8_content_behind_the_fields_we_add_goes_out_as_one_message(string content)
    {
        for (var size = 1; size <= content.Length; size++)
        {
            var (_, stored) = await SubmitAsync(content, LoggedIn(), size);
            Assert.StartsWith("Authentication-Results: mail.example.org;", stored);
            Assert.Contains(content[^8..], stored);

            var stuffer = new DotStuffer();
            var octets = Encoding.Latin1.GetBytes(stored);
            var wire = new byte[DotStuffer.MaxLength(octets.Length) + DotStuffer.FinishLength];
            var length = stuffer.Write(octets, wire);
            length += stuffer.Finish(wire.AsSpan(length));
            var text = Encoding.Latin1.GetString(wire, 0, length);
            Assert.False(text.Replace("\r\n", string.Empty).AsSpan().ContainsAny('\r', '\n'));
            Assert.Equal(text.Length - 5, text.IndexOf("\r\n.\r\n", StringComparison.Ordinal));
        }
    }

    public static TheoryData<string> StrangeNames() =>
        ["__proto__", "constructor", "toString", "hasOwnProperty", "null", "undefined", "NaN", "true", "CON", "..", "%s%n", "${x}", "", " ", "\0", "\u00ff", new string('x', 64 * 1024)];

    [Theory]
    [MemberData(nameof(StrangeNames))]
    public async Task Row_85_a_header_field_of_any_name_is_kept_as_it_came(string name)
    {
        var field = $"{name}: value\r\n";
        var (_, stored) = await SubmitAsync(Complete + field + "\r\nbody\r\n", LoggedIn());
        Assert.Contains(field, stored);
        Assert.EndsWith("\r\nbody\r\n", stored);
    }

    [Fact]
    public async Task What_mail_and_rcpt_asked_for_goes_into_the_envelope_and_times_become_absolute()
    {
        var until = clock.GetUtcNow() + TimeSpan.FromDays(1);
        var said = new MailParameters
        {
            DeclaredSize = 100, Body = BodyType.EightBitMime, IsUtf8 = true, EnvelopeId = "QQ 1", HoldUntil = until, DeliverBy = new DeliverBy(TimeSpan.FromHours(30), IsNotify: false, IsTrace: true),
        };
        var asked = new RecipientParameters { Notify = DsnNotify.Success };
        var audit = new RecordingAudit();
        var entry = await EnvelopeAsync(said, asked, LoggedIn(), "Subject: gr\u00c3\u00bc\u00c3\u009fe\r\n\r\n", audit);
        Assert.Equal(said with { DeclaredSize = null }, entry.Envelope.Parameters);
        Assert.Equal(new DeliveryDeadline(clock.GetUtcNow() + TimeSpan.FromHours(30), IsNotify: false, IsTrace: true), entry.Envelope.Deadline);
        Assert.Equal(asked, entry.Envelope.ParametersOf(0));
        Assert.True(entry.Envelope is { HasUtf8Header: true, IsInbound: false });
        Assert.Equal(until, entry.State.NextAttempt);
        Assert.Equal("QQ 1", Assert.Single(audit.Events.OfType<AcceptedEvent>()).EnvelopeId);
    }

    [Theory]
    [InlineData("From: Lisa <lisa@example.org>\r\nMessage-ID: <a@x.test>\r\nMessage-ID: <b@x.test>\r\n\r\n", "<a@x.test>", "Lisa <lisa@example.org>")]
    [InlineData("From: a@example.org,\r\n\tb@example.org\r\nMessage-Id:\r\n <long@x.test>\r\n\r\n", "<long@x.test>", "a@example.org, b@example.org")]
    [InlineData("Message-ID: <a@x.test>\r\nFrom: \u00c3\u00bc@example.org\r\n\r\n", "<a@x.test>", "\u00fc@example.org")]
    [InlineData("Subject: x\r\nMessage-ID: <a@x.test>\r\n\r\n", "<a@x.test>", "lisa@example.org")]
    public async Task What_yesterdays_mail_is_looked_for_by_is_in_the_log(string content, string messageId, string from)
    {
        var audit = new RecordingAudit();
        await EnvelopeAsync(MailParameters.None, RecipientParameters.None, LoggedIn(), content, audit);

        var accepted = Assert.Single(audit.Events.OfType<AcceptedEvent>());
        Assert.Equal((messageId, from), (accepted.MessageId, accepted.HeaderFrom));
        Assert.True(accepted.Size > content.Length);
    }

    [Fact]
    public async Task A_message_id_that_is_given_here_is_the_one_in_the_log()
    {
        var audit = new RecordingAudit();
        await EnvelopeAsync(MailParameters.None, RecipientParameters.None, LoggedIn(), "From: lisa@example.org\r\n\r\n", audit);
        var given = Assert.Single(audit.Events.OfType<AcceptedEvent>()).MessageId!;
        Assert.Contains($"Message-ID: {given}\r\n", await NewestAsync(), StringComparison.Ordinal);

        // What merely arrives is not completed, and has none.
        var other = new RecordingAudit();
        await EnvelopeAsync(MailParameters.None, RecipientParameters.None, Stranger(), "From: lisa@example.org\r\n\r\n", other);
        Assert.Null(Assert.Single(other.Events.OfType<AcceptedEvent>()).MessageId);
    }

    /// <summary>RFC 8689 §4.1: a message is tagged by its field, whoever brings it, and REQUIRETLS outweighs that.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Tls_required_no_tags_a_message_that_did_not_come_with_requiretls(bool requiresTls, bool expected)
    {
        const string Content = "From: lisa@example.org\r\nTLS-Required: No\r\n\r\n";
        var said = new MailParameters { RequiresTls = requiresTls };

        Assert.Equal(expected, (await EnvelopeAsync(said, RecipientParameters.None, LoggedIn(), Content, new RecordingAudit())).Envelope.IsTlsWaived);
        Assert.Equal(expected, (await EnvelopeAsync(said, RecipientParameters.None, Stranger(), Content, new RecordingAudit())).Envelope.IsTlsWaived);
        Assert.Contains("\r\nTLS-Required: No\r\n", await NewestAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_submission_that_asks_for_nothing_keeps_nothing_of_it()
    {
        var entry = await EnvelopeAsync(new MailParameters { DeclaredSize = 100 }, RecipientParameters.None, LoggedIn(), Complete, NoAuditLog.Instance);
        Assert.Same(MailParameters.None, entry.Envelope.Parameters);
        Assert.True(entry.Envelope.Said.RecipientParameters.IsEmpty);
    }

    /// <summary>Row 101: what was taken only for its recipient's domain is marked, so that no report goes to its sender.</summary>
    [Fact]
    public async Task Row_101_mail_that_merely_arrives_is_marked()
    {
        var entry = await EnvelopeAsync(MailParameters.None, RecipientParameters.None, Stranger(), Complete, NoAuditLog.Instance);
        Assert.True(entry.Envelope.IsInbound);
    }

    private async Task<SpoolEntry> EnvelopeAsync(MailParameters said, RecipientParameters asked, (SessionState Session, string Rule) client, string content, IAuditLog audit)
    {
        var transaction = new Transaction(new ReversePath(Mailbox.Parse("lisa@example.org")), said);
        transaction.Add(Mailbox.Parse("bart@example.net"), asked, client.Rule);
        await using var draft = new SubmissionDraft(spool.CreateDraft(), client.Session, transaction, audit, clock);
        await draft.AppendAsync(Encoding.Latin1.GetBytes(content), CancellationToken.None);
        Assert.IsType<StoreOutcome.Stored>(await draft.CommitAsync(CancellationToken.None));
        return spool.List()[^1];
    }

    private static string WithoutId(string stored) => string.Join('\n', stored.Split("\r\n").Select(static l => l.Contains(" id ", StringComparison.Ordinal) ? "id" : l));

    private static (SessionState Session, string Rule) LoggedIn()
    {
        var session = Session();
        session.IsExtended = true;
        session.Tls = new TlsFacts(System.Security.Authentication.SslProtocols.Tls13, "TLS_AES_128_GCM_SHA256", ServerName: null);
        session.Identity = new SaslIdentity("lisa@example.org", "lisa@example.org");
        session.Mechanism = "PLAIN";
        return (session, "permit_authenticated");
    }

    private static (SessionState Session, string Rule) Stranger()
    {
        var session = Session();
        session.IsExtended = true;
        return (session, "reject_unauth_destination");
    }

    private static SessionState Session() => new()
    {
        Id = "s1",
        Listener = "submission",
        Hostname = "mail.example.org",
        ClientAddress = IPAddress.Parse("192.0.2.7"),
        HeloName = "laptop",
    };

    private async Task<(StoreOutcome Outcome, string Stored)> SubmitAsync(string content, (SessionState Session, string Rule) client, int size = int.MaxValue)
    {
        var transaction = new Transaction(new ReversePath(Mailbox.Parse("lisa@example.org")), MailParameters.None);
        transaction.Add(Mailbox.Parse("bart@example.net"), RecipientParameters.None, client.Rule);
        await using var draft = new SubmissionDraft(spool.CreateDraft(), client.Session, transaction, NoAuditLog.Instance, clock);
        var octets = Encoding.Latin1.GetBytes(content);
        for (var at = 0; at < octets.Length; at += Math.Min(size, octets.Length - at))
            await draft.AppendAsync(octets.AsMemory(at, Math.Min(size, octets.Length - at)), CancellationToken.None);
        var outcome = await draft.CommitAsync(CancellationToken.None);
        return (outcome, outcome is StoreOutcome.Stored ? await NewestAsync() : string.Empty);
    }

    private async Task<string> NewestAsync()
    {
        var entry = spool.List()[^1];
        using var opened = spool.OpenContent(entry.Envelope.Id)!;
        var octets = new byte[opened.Length];
        Assert.Equal(octets.Length, await opened.ReadAsync(0, octets, CancellationToken.None));
        spool.Remove(entry.Envelope.Id);
        return Encoding.Latin1.GetString(octets);
    }
}
