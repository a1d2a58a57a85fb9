using System.Net;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Policy;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Runtime;

public sealed class OwnMailboxesTests
{
    [Theory]
    [InlineData("lisa", "Lisa@Example.org", MailboxAnswer.Exists)]
    [InlineData("milhouse", "Mil..House@example.org", MailboxAnswer.Exists)]
    [InlineData("milhouse", "\"mil..house\"@example.org", MailboxAnswer.Exists)]
    [InlineData("lisa", "bart@example.org", MailboxAnswer.Unknown)]
    [InlineData("lisa", "nobody@example.org", MailboxAnswer.Unknown)]
    [InlineData("homer", "homer@example.org", MailboxAnswer.Unknown)]
    [InlineData("moe", "lisa@example.org", MailboxAnswer.Unknown)]
    public async Task An_account_learns_of_its_own_addresses_and_of_no_other(string login, string address, MailboxAnswer answer)
    {
        var directory = new FakeDirectory().Add("lisa", ["lisa@example.org"]).Add("bart", ["bart@example.org"]).Add("milhouse", ["\"mil..house\"@example.org"]).Add("homer", ["homer@example.org"], enabled: false);
        Assert.Equal(answer, await AskAsync(directory, login, address));
    }

    [Fact]
    public async Task A_directory_that_cannot_answer_tells_nothing() =>
        Assert.Equal(MailboxAnswer.Unknown, await AskAsync(new FakeDirectory { IsUnavailable = true }, "lisa", "lisa@example.org"));

    private static ValueTask<MailboxAnswer> AskAsync(FakeDirectory directory, string login, string address)
    {
        Assert.True(Mailbox.TryParse(address, out var mailbox));
        var session = new SessionState { Id = "s1", Listener = "smtp", Hostname = "relay.test", ClientAddress = IPAddress.Loopback };
        session.Identity = new SaslIdentity(login, login);
        return new OwnMailboxes(_ => directory).VerifyAsync(session, mailbox, CancellationToken.None);
    }
}
