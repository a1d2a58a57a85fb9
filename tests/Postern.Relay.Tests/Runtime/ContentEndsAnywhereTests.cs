using System.Net;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>Content by DATA ends in CRLF; by BDAT it ends where the client says, inside of anything.</summary>
public sealed class ContentEndsAnywhereTests
{
    private readonly MemorySpool spool = new();
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 11, 20, 10, 5, 0, TimeSpan.Zero));

    [Theory]
    [InlineData("", "\r\n")]
    [InlineData("abc", "\r\nabc")]
    [InlineData("Subject: x", "Subject: x\r\n\r\n")]
    [InlineData("Subject: x\r\n", "Subject: x\r\n\r\n")]
    [InlineData("Subject: x\r\n folded", "Subject: x\r\n folded\r\n\r\n")]
    [InlineData("Subject: x\r\nabc", "Subject: x\r\n\r\nabc")]
    [InlineData("Subject: x\r\n\r\nabc", "Subject: x\r\n\r\nabc")]
    [InlineData(" abc", "\r\n abc")]
    public async Task Row_220_content_that_ends_inside_a_line_is_stored_whole_and_no_field_grows_into_the_next(string content, string expected)
    {
        const string Kept = "From: lisa@example.org\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n";
        foreach (var size in (int[])[1, 2, 3, 1000])
        {
            var (_, bare) = await SubmitAsync(content, size);
            Assert.EndsWith(expected[Math.Max(0, expected.LastIndexOf("\r\n", StringComparison.Ordinal))..], bare, StringComparison.Ordinal);
            Assert.Contains("\r\nMessage-ID: <", bare, StringComparison.Ordinal);
            Assert.Contains("\r\nDate: Fri, 20 Nov 2026 10:05:00 +0000\r\n", bare, StringComparison.Ordinal);
            if (content.StartsWith("Subject", StringComparison.Ordinal))
                Assert.EndsWith(Kept + expected, (await SubmitAsync(Kept + content, size)).Stored, StringComparison.Ordinal);
        }
    }

    /// <summary>Every content of up to six octets of the five that mean something in a header section, whole and octet by octet.</summary>
    [Fact]
    public async Task Row_220_any_short_content_has_an_answer_and_the_same_one_however_it_is_cut()
    {
        const string Alphabet = "a: \r\n";
        for (var length = 0; length <= 6; length++)
        {
            for (var number = 0; number < (int)Math.Pow(Alphabet.Length, length); number++)
            {
                var rest = number;
                var content = string.Create(length, 0, (chars, _) =>
                {
                    for (var i = 0; i < chars.Length; i++, rest /= Alphabet.Length)
                        chars[i] = Alphabet[rest % Alphabet.Length];
                });
                var (whole, stored) = await SubmitAsync(content, 1000);
                var (cut, storedCut) = await SubmitAsync(content, 1);
                Assert.Equal(whole.GetType(), cut.GetType());
                Assert.Equal(Fields(stored), Fields(storedCut));
            }
        }
    }

    private static string Fields(string stored) => string.Join('\n', stored.Split("\r\n").Where(static l => !l.Contains("id ", StringComparison.Ordinal) && !l.StartsWith("Message-ID", StringComparison.Ordinal)));

    private async Task<(StoreOutcome Outcome, string Stored)> SubmitAsync(string content, int size)
    {
        var session = new SessionState
        {
            Id = "s1",
            Listener = "submission",
            Hostname = "mail.example.org",
            ClientAddress = IPAddress.Parse("192.0.2.7"),
            HeloName = "laptop",
            Identity = new SaslIdentity("lisa@example.org", "lisa@example.org"),
            Mechanism = "PLAIN",
        };
        var transaction = new Transaction(new ReversePath(Mailbox.Parse("lisa@example.org")), MailParameters.None);
        transaction.Add(Mailbox.Parse("bart@example.net"), RecipientParameters.None, "permit_authenticated");
        await using var draft = new SubmissionDraft(spool.CreateDraft(), session, transaction, NoAuditLog.Instance, clock);
        var octets = Encoding.Latin1.GetBytes(content);
        for (var at = 0; at < octets.Length; at += size)
            await draft.AppendAsync(octets.AsMemory(at, Math.Min(size, octets.Length - at)), CancellationToken.None);
        if (await draft.CommitAsync(CancellationToken.None) is not StoreOutcome.Stored outcome)
            return (new StoreOutcome.Refused(SubmissionStore.NoRoom), string.Empty);
        var entry = spool.List()[^1];
        using var opened = spool.OpenContent(entry.Envelope.Id)!;
        var read = new byte[opened.Length];
        Assert.Equal(read.Length, await opened.ReadAsync(0, read, CancellationToken.None));
        spool.Remove(entry.Envelope.Id);
        return (outcome, Encoding.Latin1.GetString(read));
    }
}
