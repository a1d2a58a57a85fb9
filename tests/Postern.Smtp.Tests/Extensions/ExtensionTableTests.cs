using System.Net;
using System.Reflection;
using Postern.Sasl;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Extensions;

public sealed class ExtensionTableTests
{
    [Fact]
    public void Every_extension_file_has_its_line_in_the_table()
    {
        var rows = typeof(ExtensionTable).Assembly.GetTypes()
            .Where(static type => type.Namespace == "Postern.Smtp.Extensions")
            .SelectMany(static type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Select(field => (type.Name, field)))
            .Where(static row => row.field.FieldType == typeof(Extension))
            .ToList();

        Assert.NotEmpty(rows);
        foreach (var (name, field) in rows)
            Assert.True(ExtensionTable.All.Contains(field.GetValue(null)), $"Extensions/{name}.cs has no line in ExtensionTable.All");
    }

    [Fact]
    public void Keywords_are_upper_case_unique_and_open_their_line()
    {
        var offer = new Offer(Options(new MemoryStore()), Listener(), IsTls: true, IsLoggedIn: true, SaslMechanisms.All, SaslMechanisms.All);
        Assert.Equal(ExtensionTable.All.Select(static e => e.Keyword.ToUpperInvariant()).Distinct(), ExtensionTable.All.Select(static e => e.Keyword));
        foreach (var extension in ExtensionTable.All)
            Assert.True((extension.Announce(offer) ?? extension.Keyword).Split(' ')[0] == extension.Keyword, extension.Keyword);
    }

    /// <summary>Clients were seen that know only lines with a hyphen, and others that stop reading after some hundred octets.</summary>
    [Fact]
    public void What_a_client_cannot_do_without_comes_first_in_ehlo_and_never_last_whatever_is_switched_off()
    {
        string[] needed = ["STARTTLS", "AUTH", "SIZE"];
        string[] others = [.. ExtensionTable.All.Select(static e => e.Keyword).Where(keyword => keyword != "HELP" && !needed.Contains(keyword))];
        foreach (var without in others.Append("HELP").Select(static keyword => (string[])[keyword]).Append([]).Append(others))
        {
            foreach (var (isTls, trust) in from isTls in (bool[])[false, true] from trust in (PeerTrust[])[PeerTrust.None, PeerTrust.All] select (isTls, trust))
            {
                var listener = Listener() with { Tls = TlsMode.StartTls, Auth = AuthMode.Always, WithoutExtensions = without };
                var passwords = new TestPasswords("alice:secret");
                var options = Options(new MemoryStore()) with { Tls = new TlsOptions(TestCertificate.Instance), Sasl = new SaslContext { Passwords = passwords, Grants = passwords } };
                string[] keywords = [.. Capabilities.Derive(options, listener, isTls, isLoggedIn: false, trust).Ehlo.Lines.Skip(1).Select(static line => line.Split(' ')[0])];
                var offered = needed.Where(keywords.Contains).ToArray();
                Assert.NotEmpty(offered);
                Assert.Equal(offered, keywords[..offered.Length]);
                Assert.DoesNotContain(keywords[^1], needed);
            }
        }
    }

    [Fact]
    public void A_store_that_says_nothing_is_promised_for_nothing()
    {
        var capabilities = Capabilities.Derive(Options(new PlainStore()), Listener(), isTls: true, isLoggedIn: true, PeerTrust.None);
        Assert.Equal(["mail.example.org", "SIZE 50000000", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES", "CHUNKING", "LIMITS RCPTMAX=1000", "HELP"], capabilities.Ehlo.Lines);
        Assert.Equal(["SIZE", "BODY"], capabilities.MailParameters.Select(static p => p.Keyword));
        Assert.Empty(capabilities.RecipientParameters);
    }

    [Theory]
    [InlineData(StoreFeatures.DeliveryReports, "DSN")]
    [InlineData(StoreFeatures.Utf8, "SMTPUTF8")]
    [InlineData(StoreFeatures.RequireTls, "REQUIRETLS")]
    [InlineData(StoreFeatures.DeliverBy, "DELIVERBY 60")]
    [InlineData(StoreFeatures.Hold, "FUTURERELEASE 604800 2020-01-08T00:00:00Z")]
    [InlineData(StoreFeatures.Binary, "BINARYMIME")]
    public void Each_promise_of_a_store_brings_one_line(StoreFeatures promise, string line)
    {
        var without = Lines(StoreFeatures.None);
        Assert.Equal([line], Lines(promise).Except(without));

        static IReadOnlyList<string> Lines(StoreFeatures honours) =>
            Capabilities.Derive(Options(new MemoryStore { Honours = honours }), Listener(), isTls: true, isLoggedIn: true, PeerTrust.None).Ehlo.Lines;
    }

    [Fact]
    public void The_reply_to_ehlo_is_one_object_until_its_date_is_old()
    {
        var clock = new ManualClock(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var capabilities = Capabilities.Derive(Options(new MemoryStore()) with { Clock = clock }, Listener(), isTls: false, isLoggedIn: true, PeerTrust.None);
        var first = capabilities.Ehlo;
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Same(first, capabilities.Ehlo);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("FUTURERELEASE 604800 2020-01-08T01:01:00Z", capabilities.Ehlo.Lines);
    }

    private static SmtpListenerOptions Listener() =>
        new() { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None };

    private static SmtpServerOptions Options(IMessageStore store) => new()
    {
        Hostname = "mail.example.org",
        Listeners = [Listener()],
        Policy = new TestPolicy(),
        Store = store,
        Clock = new ManualClock(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)),
    };

    private sealed class PlainStore : IMessageStore
    {
        public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) => throw new NotSupportedException();
    }
}
