using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>ANONYMOUS proves nothing: it is neither a login nor a failed one, and nobody is named by it.</summary>
public sealed class AnonymousEventsTests
{
    private readonly RecordingAudit log = new();

    [Fact]
    public void Row_201_anonymous_is_no_login_in_events_counts_and_policy()
    {
        var totals = new RelayTotals();
        var events = new RelayEvents(log, new ManualClock(DateTimeOffset.UnixEpoch));
        var session = Session();
        session.OffersAuth = session.OffersAuthAfterTls = true;
        session.Identity = new SaslIdentity(AnonymousMechanism.User, AnonymousMechanism.User);
        session.Mechanism = "ANONYMOUS";

        events.OnLogin(session, new LoginAttempt("ANONYMOUS", AnonymousMechanism.User, UserExists: true, session.Identity, Error: null, "ok"));
        events.OnReceived(session, new Transaction(ReversePath.Null, MailParameters.None), 1, new StoreOutcome.Refused(StandardReply.RelayDenied));

        Assert.Equal(AuthOutcome.Anonymous, Assert.Single(log.Events.OfType<LoginEvent>()).Outcome);
        Assert.Null(Assert.Single(log.Events.OfType<RefusedEvent>()).User);
        log.Events.ToList().ForEach(totals.Offer);
        Assert.Equal((0, 0), (totals.Logins, totals.FailedLogins));
        Assert.True(EnvelopeFacts.Of(session) is { Login: null, OffersAuth: false, OffersAuthAfterTls: false });
    }

    [Fact]
    public void A_login_is_counted_and_says_on_whose_behalf()
    {
        var totals = new RelayTotals();
        var session = Session();
        session.Identity = new SaslIdentity("lisa@example.org", "shop@example.org");
        session.Mechanism = "PLAIN";

        new RelayEvents(log, new ManualClock(DateTimeOffset.UnixEpoch)).OnLogin(session, new LoginAttempt("PLAIN", "lisa@example.org", UserExists: true, session.Identity, Error: null, "ok"));

        Assert.True(Assert.Single(log.Events.OfType<LoginEvent>()) is { Outcome: AuthOutcome.Ok, User: "lisa@example.org", ActingAs: "shop@example.org" });
        log.Events.ToList().ForEach(totals.Offer);
        Assert.Equal((1, 0), (totals.Logins, totals.FailedLogins));
    }

    /// <summary>No room to ask is no answer either: the client is told 451 for both, and so is the log.</summary>
    [Fact]
    public void A_login_of_which_nothing_can_be_said_now_is_told_whatever_the_reason()
    {
        var events = new RelayEvents(log, new ManualClock(DateTimeOffset.UnixEpoch));
        foreach (var review in new LoginAnswer[] { new LoginAnswer.Unavailable("away"), new LoginAnswer.Busy("full"), new LoginAnswer.NoMatch("gone"), LoginAnswer.Holds.Instance })
            events.OnLoginReviewed(Session(), review);
        Assert.Equal(["login_unsure away", "login_unsure full", "login_gone gone"], log.Events.Cast<ServerEvent>().Select(static e => $"{e.Event} {e.Detail.Split(": ")[^1]}"));
    }

    private static SessionState Session() => new()
    {
        Id = "s1", Listener = "submission", Hostname = "mail.example.org", ClientAddress = IPAddress.Parse("192.0.2.7"),
    };
}
