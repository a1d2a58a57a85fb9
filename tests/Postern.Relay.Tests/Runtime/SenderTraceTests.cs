using System.Net;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Policy;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>The header of a submission may say anything; who really sent it is in it too.</summary>
public sealed class SenderTraceTests
{
    private const string Rest = "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n";

    private readonly MemorySpool spool = new();
    private readonly ManualClock clock = new();
    private readonly FakeDirectory directory = new FakeDirectory()
        .Add("lisa", addresses: ["lisa@example.org", "sales@example.org"])
        .Add("host", domains: ["example.org"])
        .Add("lisa@example.org", addresses: ["lisa@example.org", "sales@example.org"])
        .Add("printer", addresses: ["scans@example.org"])
        .Add("nobody");

    [Theory]
    [InlineData("From: lisa@example.org\r\n")]
    [InlineData("From: Lisa <LISA@EXAMPLE.ORG>\r\n")]
    [InlineData("FROM : \"ceo@bank.example\" <sales@example.org>,\r\n lisa@example.org\r\n")]
    [InlineData("From: ceo@bank.example\r\nSender: lisa@example.org\r\n")]
    [InlineData("From: lisa@example.org\r\nSender: <sales@example.org>\r\nResent-From: a@b.example\r\n")]
    public async Task Row_210_who_names_its_own_addresses_is_not_touched(string fields) => Assert.Equal(fields + Rest, await SubmitAsync("lisa", fields));

    [Theory]
    [InlineData("From: ceo@bank.example\r\n")]
    [InlineData("From: lisa@example.org, ceo@bank.example\r\n")]
    [InlineData("From: lisa@example.org <ceo@bank.example>\r\n")]
    [InlineData("From: lisa@example.org\r\nFrom: ceo@bank.example\r\n")]
    [InlineData("From: lisa@example.org\r\nFrom: lisa@example.org\r\n")]
    [InlineData("From: ceo@bank.example: lisa@example.org;\r\n")]
    [InlineData("From:\r\n")]
    public async Task Row_210_who_names_another_is_named_as_the_sender(string fields) =>
        Assert.Equal(fields + Rest + "Sender: lisa@example.org\r\n", await SubmitAsync("lisa", fields));

    /// <summary>RFC 6409 §8: an author is what a message must have, and whoever sends it without one is it.</summary>
    [Theory]
    [InlineData("lisa", "lisa@example.org", "From: lisa@example.org")]
    [InlineData("lisa", "sales@example.org", "From: sales@example.org")]
    [InlineData("lisa", "ceo@bank.example", "X-Authenticated-Sender: lisa")]
    [InlineData("printer", "", "From: scans@example.org")]
    [InlineData("nobody", "", "X-Authenticated-Sender: nobody")]
    [InlineData(null, "scanner@example.org", "From: scanner@example.org")]
    public async Task Who_names_no_author_is_the_author(string? login, string reversePath, string added)
    {
        foreach (var fields in new[] { "Subject: no author\r\n", "Subject: no author\r\nResent-From: sales@example.org\r\n", "X-From: a@b.example\r\nFrom-: x\r\n" })
        {
            if (!fields.Contains("Resent", StringComparison.Ordinal) || added.StartsWith("From", StringComparison.Ordinal))
                Assert.Equal(fields + Rest + added + "\r\n", await SubmitAsync(login, fields, reversePath, rule: "permit_networks"));
        }
    }

    [Fact]
    public async Task Without_an_author_and_a_sender_nothing_is_made_up_and_mail_that_merely_arrives_is_not_completed()
    {
        Assert.Equal("Subject: x\r\n" + Rest, await SubmitAsync(login: null, "Subject: x\r\n", string.Empty, rule: "permit_networks"));
        Assert.Equal("Subject: x\r\n" + Rest, await SubmitAsync(login: null, "Subject: x\r\n", "a@b.example", rule: "reject_unauth_destination"));
        Assert.Equal(Rest + "From: lisa@example.org\r\nSender: lisa@example.org\r\n", await SubmitAsync("lisa", "Sender: cfo@bank.example\r\n"));
    }

    [Theory]
    [InlineData("From: ceo@bank.example\r\n", "Sender: cfo@bank.example\r\n")]
    [InlineData("From: lisa@example.org\r\n", "sender : \"lisa@example.org\"\r\n <ceo@bank.example>\r\n")]
    [InlineData("From: ceo@bank.example\r\n", "Sender: lisa@example.org, ceo@bank.example\r\n")]
    [InlineData("From: ceo@bank.example\r\n", "Sender: lisa@example.org, sales@example.org\r\n")]
    [InlineData("From: ceo@bank.example\r\n", "Sender: lisa@example.org\r\nSender: ceo@bank.example\r\n")]
    public async Task Row_210_a_sender_that_is_another_is_replaced(string from, string sender) =>
        Assert.Equal(from + Rest + "Sender: lisa@example.org\r\n", await SubmitAsync("lisa", sender + from));

    /// <summary>The reverse-path tells recipients nothing new; a name that none of them would see is not given away for it.</summary>
    [Theory]
    [InlineData("lisa", "sales@example.org", "Sender: sales@example.org")]
    [InlineData("lisa", null, "X-Authenticated-Sender: lisa")]
    [InlineData("lisa", "ceo@bank.example", "X-Authenticated-Sender: lisa")]
    [InlineData("lisa@example.org", null, "Sender: lisa@example.org")]
    [InlineData("printer", null, "Sender: scans@example.org")]
    [InlineData("host", "any@example.org", "Sender: any@example.org")]
    [InlineData("nobody", null, "X-Authenticated-Sender: nobody")]
    [InlineData("removed", "lisa@example.org", "X-Authenticated-Sender: removed")]
    [InlineData("r\u00e9my smith", null, "X-Authenticated-Sender: =?utf-8?B?csOpbXkgc21pdGg=?=")]
    public async Task Row_211_the_trace_is_the_address_that_the_account_has(string login, string? reversePath, string trace) =>
        Assert.Equal("From: ceo@bank.example\r\n" + Rest + trace + "\r\n", await SubmitAsync(login, "From: ceo@bank.example\r\n", reversePath ?? string.Empty));

    [Fact]
    public async Task Row_211_who_sends_a_message_on_is_named_beside_its_sender()
    {
        const string Fields = "Resent-From: lisa@example.org\r\nFrom: ceo@bank.example\r\nSender: cfo@bank.example\r\n";
        Assert.Equal(Fields + Rest + "X-Authenticated-Sender: lisa\r\n", await SubmitAsync("lisa", Fields));
    }

    [Fact]
    public async Task Row_212_what_is_not_for_recipients_or_not_the_senders_to_say_is_taken_out()
    {
        const string Removed = "Bcc: secret@example.net,\r\n other@example.net\r\nRETURN-PATH: <ceo@bank.example>\r\nResent-Bcc: x@y.example\r\nX-Authenticated-Sender: ceo\r\n";
        Assert.Equal("From: lisa@example.org\r\nTo: bart@example.net\r\n" + Rest, await SubmitAsync("lisa", "From: lisa@example.org\r\n" + Removed + "To: bart@example.net\r\n"));
        Assert.Equal("From: ceo@bank.example\r\n" + Rest, await SubmitAsync(login: null, Removed + "From: ceo@bank.example\r\n", rule: "permit_networks"));
        Assert.Equal(Removed + "From: ceo@bank.example\r\n" + Rest, await SubmitAsync(login: null, Removed + "From: ceo@bank.example\r\n", rule: "reject_unauth_destination"));
    }

    [Fact]
    public async Task Row_212_however_the_header_is_cut_the_same_goes_out()
    {
        const string Fields = "Bcc: a@b.example\r\nSender: x@y.example\r\nFrom: ceo@bank.example\r\n";
        var whole = await SubmitAsync("lisa", Fields);
        for (var size = 1; size < 30; size++)
            Assert.Equal(whole, await SubmitAsync("lisa", Fields, size: size));
    }

    [Fact]
    public async Task Row_214_a_directory_that_cannot_say_whose_names_these_are_takes_no_message()
    {
        directory.IsUnavailable = true;
        Assert.Equal("451", await SubmitAsync("lisa", "From: lisa@example.org\r\n"));
        Assert.Equal(0, spool.Count);
    }

    /// <summary>The header as stored, without this host's own fields on top; the code where it was refused.</summary>
    private async Task<string> SubmitAsync(string? login, string fields, string reversePath = "lisa@example.org", string rule = "permit_authenticated", int size = int.MaxValue)
    {
        var session = new SessionState { Id = "s1", Listener = "submission", Hostname = "mail.example.org", ClientAddress = IPAddress.Parse("192.0.2.7"), HeloName = "laptop", IsExtended = true };
        session.Identity = login is null ? null : new SaslIdentity(login, login);
        session.Mechanism = "PLAIN";
        var transaction = new Transaction(reversePath.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(reversePath)), MailParameters.None);
        transaction.Add(Mailbox.Parse("bart@example.net"), RecipientParameters.None, rule);
        await using var draft = new SubmissionDraft(spool.CreateDraft(), session, transaction, NoAuditLog.Instance, clock, directory);
        var octets = Encoding.Latin1.GetBytes(fields + Rest + "\r\nbody\r\n");
        for (var at = 0; at < octets.Length; at += Math.Min(size, octets.Length - at))
            await draft.AppendAsync(octets.AsMemory(at, Math.Min(size, octets.Length - at)), CancellationToken.None);
        if (await draft.CommitAsync(CancellationToken.None) is StoreOutcome.Refused(var reply))
            return reply.Code.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var id = spool.List()[^1].Envelope.Id;
        using var content = spool.OpenContent(id)!;
        var stored = new byte[content.Length];
        await content.ReadAsync(0, stored, CancellationToken.None);
        spool.Remove(id);
        var text = Encoding.Latin1.GetString(stored);
        Assert.EndsWith("\r\n\r\nbody\r\n", text);
        return WithoutTrace(text[..^"\r\nbody\r\n".Length]);
    }

    private static string WithoutTrace(string header)
    {
        var received = header.IndexOf("Received:", StringComparison.Ordinal);
        var end = received;
        do
            end = header.IndexOf("\r\n", end, StringComparison.Ordinal) + 2;
        while (header[end] == '\t');
        return header[end..];
    }
}
