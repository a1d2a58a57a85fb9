using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Web.Documents;
using Postern.Web.Pages;

namespace Postern.Web.Tests.Documents;

/// <summary>Where is this mail? Asked of a real log.</summary>
public sealed class MessageSearchTests : IDisposable
{
    private static readonly DateTimeOffset Noon = EventLog.Noon;

    private readonly EventLog log = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => log.Dispose();

    [Theory]
    [InlineData("bart@example.net", "recipient", "sender", "login", "Message-ID")]
    [InlineData(" <4711@app.example.org> ", "Message-ID", "recipient", "sender", "login")]
    [InlineData("mailto:bart@example.net", "recipient", "sender", "login", "Message-ID")]
    [InlineData("@example.net", "domain")]
    [InlineData("example.net", "domain", "login", "Message-ID")]
    [InlineData("192.0.2.7", "client", "login")]
    [InlineData("2001:db8::/32", "client", "login")]
    [InlineData("[192.0.2.7]", "client", "login")]
    [InlineData("01kbayz3te4v6w8y0a2c4e6g8j", "queue id")]
    [InlineData("k7m3q9", "reference", "login", "Message-ID")]
    [InlineData("K7M3QO", "reference", "login", "Message-ID")]
    [InlineData("scott", "login", "Message-ID")]
    [InlineData("<>", "sender")]
    [InlineData("<   >")]
    [InlineData("   ")]
    public void What_is_pasted_is_recognised(string text, params string[] kinds) =>
        Assert.Equal(kinds, SearchText.Read(text).Select(static reading => reading.Kind));

    [Fact]
    public void A_text_that_is_too_long_to_be_anything_is_nothing() => Assert.Empty(SearchText.Read(new string('a', SearchText.Most + 1)));

    [Fact]
    public async Task A_list_has_messages_and_refusals_and_says_how_each_stands()
    {
        var (delivered, failed, waiting) = (IdAt(0), IdAt(1), IdAt(2));
        await log.WriteAsync(
            Mail(0, delivered), Mail(1, failed), Mail(2, waiting), Refusal(3, "7QW4T2"), Permit(4, "K7M3Q9"),
            Delivery(5, delivered, DeliveryOutcome.Delivered, "250 ok"),
            Delivery(6, failed, DeliveryOutcome.Deferred, "450 later"),
            Delivery(7, failed, DeliveryOutcome.Failed, "550 5.1.1 no such user"));
        var all = await PageAsync(new MessagesQuery());
        Assert.Equal(["refused", "unknown", "failed", "delivered"], all.Items.Select(static row => row.State));
        Assert.Equal([null, waiting, failed, delivered], all.Items.Select(static row => row.Id));
        Assert.Equal("550 5.1.1 no such user", all.Items[2].LastReply);
        Assert.Equal("reject_unauth_destination", all.Items[0].Rule);
        Assert.Equal("7QW4T2", Assert.Single((await PageAsync(new MessagesQuery { Tab = "refused" })).Items).Ref);
        var gone = Assert.Single((await PageAsync(new MessagesQuery { Tab = "failed" })).Items);
        Assert.Equal((failed, "app@example.org", "bart@example.net"), (gone.Id, gone.Sender, gone.Recipient));
        Assert.Equal(4, (await PageAsync(new MessagesQuery { To = "bart@example.net" })).Items.Length);
        Assert.Empty((await PageAsync(new MessagesQuery { To = "lisa@example.net" })).Items);
    }

    [Fact]
    public async Task A_tenant_finds_its_own_mail_and_nothing_else()
    {
        var (own, other) = (IdAt(0), IdAt(1));
        await log.WriteAsync(
            Mail(0, own, "mine"), Mail(1, other, "theirs"), Refusal(2, "7QW4T2", "theirs"), Refusal(3, "7QW4T3", "mine"),
            Delivery(4, own, DeliveryOutcome.Failed, "550 no"), Delivery(5, other, DeliveryOutcome.Failed, "550 no"));
        foreach (var tab in MessagesQuery.Tabs)
        {
            var found = await PageAsync(new MessagesQuery { Tab = tab.Word, Tenant = "mine" });
            Assert.DoesNotContain(found.Items, row => row.Id == other || row.Ref == "7QW4T2");
        }

        Assert.Equal(2, (await PageAsync(new MessagesQuery { Tenant = "mine" })).Items.Length);
        Assert.NotNull(await FindAsync(own, "MINE"));
        Assert.Null(await FindAsync(other, "mine"));
        Assert.NotNull(await FindAsync(other, tenant: null));
    }

    [Fact]
    public async Task The_document_of_a_message_has_all_that_was_written_down_of_it()
    {
        var id = IdAt(0);
        await log.WriteAsync(
            new LoginEvent(Noon.AddSeconds(-1), Origin(), "PLAIN", AuthOutcome.Ok, "password"),
            Permit(0, "K7M3Q9") with { At = Noon.AddMilliseconds(-500) },
            Mail(0, id),
            Delivery(1, id, DeliveryOutcome.Delivered, "250 ok"),
            new BounceEvent(Noon.AddMinutes(2), id, "01KBAYZ9C0000000000000000R", "app@example.org", "it was delivered"),
            new AdminEvent(Noon.AddMinutes(3), "anna", "queue retry", id));
        var document = await FindAsync(id, tenant: null);
        Assert.NotNull(document);
        Assert.Equal("Delivered to bart@example.net", document.Summary);
        Assert.Equal("K7M3Q9", Assert.Single(document.Decisions).Ref);
        Assert.Equal("PLAIN", document.Login?.Mechanism);
        Assert.Equal(id, document.Accepted?.QueueId);
        Assert.Single(document.Deliveries);
        Assert.Single(document.Reports);
        Assert.IsType<AdminEvent>(Assert.Single(document.Others));
        // Who runs the server is nothing that a tenant is told.
        Assert.Empty((await FindAsync(id, "mytenant"))!.Others);
        Assert.Null(await FindAsync(IdAt(9), tenant: null));

        var view = MessageStory.Of(document);
        Assert.Equal(["Login", "Decision", "Accepted: on disk, answered 250", "Attempt 1", "Report to the sender", "queue retry"], view.Rows.Select(static row => row.Title));
        Assert.All(view.Rows, static row => Assert.StartsWith("{\"at\":", row.Json, StringComparison.Ordinal));
    }

    [Fact]
    public void A_question_that_makes_no_sense_says_what_would()
    {
        foreach (var wrong in (MessagesQuery[])[new() { Client = "printer" }, new() { Since = "yesterday" }, new() { Until = "3x" }, new() { After = "../x:1" }])
            Assert.NotEmpty(wrong.ToAuditQuery(Noon).Wrong!.Todo);
        var (query, none) = new MessagesQuery { Since = "3d", Until = "2026-11-20T10:00:00Z", Client = "192.0.2.0/24" }.ToAuditQuery(Noon);
        Assert.Null(none);
        Assert.Equal((Noon.AddDays(-3), Noon.AddHours(-2)), (query!.Since, query.Until));
        foreach (var wrong in (QueueQuery[])[new() { Client = "x" }, new() { Outcome = "gone" }, new() { OlderThan = "2" }, new() { Ids = ["1; drop"] }, new() { After = "x" }])
            Assert.NotEmpty(wrong.ToFilter(Noon).Wrong!.Todo);
        Assert.Equal(Noon.AddHours(-2), new QueueQuery { OlderThan = "2h" }.ToFilter(Noon).Filter!.ArrivedBefore);
    }

    [Fact]
    public void An_address_keeps_what_was_asked()
    {
        var query = new MessagesQuery { Tab = "refused", To = "a&b=c@example.net", Since = "3d", Q = "x y" };
        var parsed = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query.Url[query.Url.IndexOf('?', StringComparison.Ordinal)..]);
        Assert.Equal(query, MessagesQuery.Read(name => parsed.TryGetValue(name, out var value) ? value.ToString() : null));
    }

    [Fact]
    public void A_header_is_read_as_it_stands()
    {
        var header = "Received: from a\r\n\tby b; now\r\nFrom: x\r\nSubject: =?utf-8?Q?=E2=98=83?=\r\n <b>\r\nX: gr\u00FC\u00DF\r\n\r\nBody: no\r\n";
        var lines = HeaderLine.Read(System.Text.Encoding.UTF8.GetBytes(header));
        Assert.Equal(["Received", "From", "Subject", "X"], lines.Select(static line => line.Name));
        Assert.Equal("from a by b; now", lines[0].Value);
        Assert.Equal("=?utf-8?Q?=E2=98=83?= <b>", lines[2].Value);
        Assert.Equal("gr\u00FC\u00DF", lines[3].Value);
        Assert.Equal([true, false, false, false], lines.Select(static line => line.IsOurs));
        Assert.Empty(HeaderLine.Read(" folded first\r\n"u8));
        Assert.Empty(HeaderLine.Read(default));
    }

    private static string IdAt(int minute) =>
        new QueueId(((UInt128)(ulong)Noon.AddMinutes(minute).ToUnixTimeMilliseconds() << 80) + (UInt128)(minute + 1)).ToString();

    private static EventOrigin Origin(string tenant = "mytenant") =>
        new("s1", "submission", "192.0.2.7") { User = "app@example.org", Tls = "TLSv1.3", Tenant = tenant };

    private static AcceptedEvent Mail(int minute, string id, string tenant = "mytenant") =>
        new(Noon.AddMinutes(minute), Origin(tenant), id, "app@example.org", ["bart@example.net"], 1_000);

    private static DeliveryEvent Delivery(int minute, string id, DeliveryOutcome outcome, string reply) =>
        new(Noon.AddMinutes(minute), id, "bart@example.net", outcome, 1, reply);

    private static DecisionEvent Refusal(int minute, string reference, string tenant = "mytenant") => new(
        Noon.AddMinutes(minute), Origin(tenant), reference, "recipient", DecisionOutcome.Refuse, "reject_unauth_destination", "app@example.org", "bart@example.net")
    {
        Reply = "550 5.7.1 no",
    };

    private static DecisionEvent Permit(int minute, string reference) => new(
        Noon.AddMinutes(minute), Origin(), reference, "recipient", DecisionOutcome.Permit, "permit_authenticated", "app@example.org", "bart@example.net");

    private async Task<MessageList> PageAsync(MessagesQuery query) =>
        await new MessageSearch(log.Search, queue: null, TimeProvider.System).PageAsync(query.ToAuditQuery(Noon).Query!, after: null, Ct);

    private async Task<MessageDocument?> FindAsync(string id, string? tenant) =>
        await new MessageLookup(log.Search, queue: null).FindAsync(
            QueueId.TryParse(id, out var wanted) ? wanted : default, tenant, static at => at.ToString("O", System.Globalization.CultureInfo.InvariantCulture), Ct);
}
