using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Smtp.Tests.Session;

/// <summary>What a client has sent ahead where it has to wait (RFC 2920 §3.1) is noted for policies, and refused by none but them.</summary>
public sealed class PipelinedBehindTests
{
    private const string Mail = "MAIL FROM:<a@example.org>\n";
    private const string Rcpt = "RCPT TO:<b@accepted.example>\n";

    [Theory]
    [InlineData("EHLO c\n|" + Mail + Rcpt + "DATA\n|x\n.\nQUIT\n", null)]
    [InlineData("EHLO c\n|" + Mail + Rcpt + "RSET\n" + Mail + Rcpt + "DATA\n|x\n.\n", null)]
    [InlineData("EHLO c\n|" + Mail + Rcpt + "BDAT 3 LAST\nx\r\nQUIT\n", null)]
    [InlineData("HELO c\n|" + Mail + "|" + Rcpt + "|DATA\n|x\n.\nQUIT\n", null)]
    [InlineData("EHLO c\n" + Mail + "|" + Rcpt, "EHLO")]
    [InlineData("HELO c\n" + Mail + "|" + Rcpt, "HELO")]
    [InlineData("HELO c\n|" + Mail + Rcpt, "MAIL")]
    [InlineData("EHLO c\n|NOOP\n" + Mail + "|" + Rcpt, "NOOP")]
    [InlineData("EHLO c\n|VRFY x\n" + Mail + "|" + Rcpt, "VRFY")]
    [InlineData("XYZZY\nNOOP\n|EHLO c\n|" + Mail + "|" + Rcpt, "?")]
    [InlineData("EHLO c\n|" + Mail + "|" + Rcpt + "|DATA\nx\n.\n|" + Mail + "|" + Rcpt, "DATA")]
    [InlineData("NOOP\nEHLO c\n" + Mail + Rcpt, "NOOP")]
    public async Task The_first_command_that_did_not_wait_is_noted(string says, string? verb)
    {
        var policy = new NotingPolicy();
        var pieces = says.Split('|').Select(static piece => piece.Replace("\n", "\r\n", StringComparison.Ordinal).Replace("\r\r\n", "\r\n", StringComparison.Ordinal)).ToArray();
        var cuts = pieces.Take(pieces.Length - 1).Aggregate(new List<int>(), static (at, piece) => [.. at, at.LastOrDefault() + piece.Length]);
        await new InMemorySession(policy: policy).PlayAsync(Encoding.ASCII.GetBytes(string.Concat(pieces)), [.. cuts]);
        Assert.Equal(verb, policy.Last);
    }

    private sealed class NotingPolicy : IEnvelopePolicy
    {
        /// <summary>As it stood at the last RCPT.</summary>
        public string? Last { get; private set; } = "never asked";

        public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) => new(Verdict.Pass.Instance);

        public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
        {
            Last = session.PipelinedBehind;
            return new(new Verdict.Permit("test"));
        }
    }
}
