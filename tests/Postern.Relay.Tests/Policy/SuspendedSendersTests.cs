using Postern.Relay.Policy;
using Postern.Relay.Policy.Suspending;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Who is suspended, over restarts, and whose mail that is.</summary>
public sealed class SuspendedSendersTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-suspended-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private string PathOf => Path.Combine(folder, "suspended-senders");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_suspension_outlives_a_restart_with_all_that_is_said_of_it()
    {
        var one = Of(SuspendedKind.Account, "lisa@example.org") with { Reason = "50% of it: spam", By = "root of all" };
        using (var first = Open())
        {
            first.Suspend(one);
            first.Suspend(Of(SuspendedKind.Tenant, "acme"));
            Assert.NotNull(first.Resume(SuspendedKind.Tenant, "acme"));
        }

        using var second = Open();
        Assert.Equal(one, Assert.Single(second.All));
    }

    [Fact]
    public void A_file_that_does_not_read_suspends_nobody_less_it_stops_the_start()
    {
        using (var first = Open())
            first.Suspend(Of(SuspendedKind.Account, "lisa@example.org"));
        File.AppendAllText(PathOf, "account bart");
        Assert.Contains("line 2 does not read", Assert.Throws<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_holds_for_who_logs_in_for_whom_he_acts_for_and_for_the_one_secret()
    {
        using var suspended = Open();
        suspended.Suspend(Of(SuspendedKind.Account, "lisa@example.org"));
        suspended.Suspend(Of(SuspendedKind.Credential, "bart@example.org#7"));
        suspended.Suspend(Of(SuspendedKind.Tenant, "acme"));
        var facts = Judge.Facts();
        Assert.Null(Find(facts));
        Assert.NotNull(Find(facts with { Login = "lisa@example.org", ProvenBy = "admin@example.org" }));
        Assert.NotNull(Find(facts with { Login = "shop@example.org", ProvenBy = "lisa@example.org" }));
        Assert.NotNull(Find(facts with { Login = "bart@example.org", ProvenBy = "bart@example.org", Credential = "#7" }));
        Assert.Null(Find(facts with { Login = "bart@example.org", ProvenBy = "bart@example.org", Credential = "#8" }));
        Assert.NotNull(Find(facts with { Login = "bart@example.org", ProvenBy = "bart@example.org", Credential = "#8", Tenant = "Acme" }));
        Assert.NotNull(Find(facts with { Tenant = "acme" }));

        Suspension? Find(EnvelopeFacts one) => ((ISuspendedSenders)suspended).Find(one, clock.GetUtcNow());
    }

    [Fact]
    public void Nobody_is_suspended_a_moment_longer_than_was_said()
    {
        using var suspended = Open();
        suspended.Suspend(Of(SuspendedKind.Account, "lisa@example.org"));
        var facts = Judge.Facts(login: "lisa@example.org");
        var end = clock.GetUtcNow().AddDays(7);
        Assert.NotNull(((ISuspendedSenders)suspended).Find(facts, end.AddTicks(-1)));
        Assert.Null(((ISuspendedSenders)suspended).Find(facts, end));
    }

    private SuspendedSenders Open() => SuspendedSenders.OpenBeside(Path.Combine(folder, "directory.db"), audit, clock, isServer: false);

    private Suspension Of(SuspendedKind kind, string name) => new(kind, name, "a reason", clock.GetUtcNow(), clock.GetUtcNow().AddDays(7), "root");
}
