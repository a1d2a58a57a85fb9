using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Access;
using Postern.Relay.Policy.Watching;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Testing;
using Postern.Testing.Mailboxes;

namespace Postern.Relay.Tests.Policy.Watching;

/// <summary>Databases of countries and network operators, as operators have them.</summary>
public sealed class PlaceFileTests : IDisposable
{
    private readonly string path = Path.Combine(Directory.CreateTempSubdirectory("postern-places-").FullName, "places.mmdb");
    private readonly ManualClock clock = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

    [Fact]
    public void Countries_and_operators_are_found_and_what_is_not_there_is_none()
    {
        File.WriteAllBytes(path, MaxMindDatabase.Write(("192.0.2.0/24", "DE"), ("198.51.100.0/24", "FR"), ("203.0.113.0/24", 3320u)));
        var places = PlaceFile.Read(path);
        Assert.Equal(places.Find(IPAddress.Parse("192.0.2.7")), places.Find(IPAddress.Parse("192.0.2.200")));
        Assert.NotEqual(places.Find(IPAddress.Parse("192.0.2.7")), places.Find(IPAddress.Parse("198.51.100.1")));
        Assert.Equal(3320u, places.Find(IPAddress.Parse("203.0.113.9")));
        Assert.Equal(0u, places.Find(IPAddress.Parse("10.0.0.1")));
    }

    [Fact]
    public async Task A_changed_file_is_read_again_and_a_damaged_one_counts_as_it_was()
    {
        File.WriteAllBytes(path, MaxMindDatabase.Write(("192.0.2.0/24", 1u)));
        var tables = new AccessTables(clock, NoAuditLog.Instance);
        Assert.Equal(1u, await FindAsync());
        foreach (var (octets, expected) in new (byte[], uint)[] { (MaxMindDatabase.Write(("192.0.2.0/24", 22u), ("198.51.100.0/24", 3u)), 22u), ([1, 2, 3], 22u) })
        {
            File.WriteAllBytes(path, octets);
            // Two looks find the same before it counts.
            for (var i = 0; i < 3 || await FindAsync() != expected; i++)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await FindAsync();
            }
        }

        async Task<uint> FindAsync() => (await tables.FindPlacesAsync(path, Ct)).Find(IPAddress.Parse("192.0.2.7"));
    }

    /// <summary>With a database a new country is a part of the score; without one it is told once, and nobody is refused.</summary>
    [Theory]
    [InlineData(true, "+40 a country it never sent from")]
    [InlineData(false, "+25 a network it never sent from")]
    public async Task The_rule_scores_a_new_country_where_it_knows_one(bool knows, string expected)
    {
        if (knows)
            File.WriteAllBytes(path, MaxMindDatabase.Write(("192.0.2.0/24", "DE"), ("198.51.100.0/24", "FR")));
        var audit = new RecordingAuditLog();
        using var watch = new LoginWatch(path: null, suspended: null, audit, clock);
        var policy = new RelayPolicy(
            new PolicyOptions { SenderRules = [], RecipientRules = [RuleEntry.Parse($"watch_logins countries: {path}"), "permit_authenticated"] },
            new Judge().Directory,
            audit,
            clock)
        {
            Watch = watch,
        };
        for (var day = 0; day < 7; day++)
        {
            await SendAsync("192.0.2.7");
            clock.Advance(TimeSpan.FromDays(1));
        }

        await SendAsync("198.51.100.9");

        Assert.Contains(expected, audit.Events.OfType<DecisionEvent>().Last().Chain[0].Saw, StringComparison.Ordinal);
        Assert.Equal(knows ? 0 : 1, audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "places_unknown"));

        async Task SendAsync(string client) => Assert.IsType<Verdict.Permit>(
            await policy.OnRecipientAsync(Judge.WithSender(Judge.Session(client, login: "alice"), "alice@example.org"), Mailbox.Parse("b@far.example"), Ct));
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(null)]
    public async Task One_that_never_could_be_read_says_why(byte[]? octets)
    {
        if (octets is not null)
            File.WriteAllBytes(path, octets);
        var problem = await Assert.ThrowsAnyAsync<IOException>(() => new AccessTables(clock, NoAuditLog.Instance).FindPlacesAsync(path, Ct).AsTask());
        Assert.Contains(path, problem.Message, StringComparison.Ordinal);
    }
}
