using System.Collections.Frozen;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Fuzz.Models;

/// <summary>The relay behind listeners without sockets: its store over the spool on disk, its accounts, policy, events and log.</summary>
internal sealed class RelayServer : IDisposable
{
    private const string User = "alice@example.org";
    private const string Password = "secret";

    /// <summary>Guesses go on for hours here, and nobody moves the clock for one that waits.</summary>
    private static readonly RateLimit Wide = new(1_000_000_000, TimeSpan.FromHours(1));

    private readonly ManualClock clock = new();
    private readonly TokenMint mint = new();
    private readonly SqliteDirectory directory;
    private readonly AccountFoundation foundation;
    private readonly RelayAccounts accounts;
    private readonly SmtpServer server;

    public RelayServer()
    {
        var home = Scratch.Directory("relay");
        File.WriteAllText(Path.Combine(home, "passwd"), $"{User}:{Password}\ncheap@example.org:{ScramHash.Create(new Secret(Password), iterations: 16, Encoding.ASCII.GetBytes("0123456789abcdef")).Stored}\n");
        File.WriteAllText(Path.Combine(home, "digest"), $"dora@example.org:mail.example.org:{DigestHash.Create("dora@example.org", "mail.example.org", Password)!.Stored.Split(':')[^1]}\n");
        File.WriteAllText(Path.Combine(home, "jwks.json"), mint.KeySet());
        directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(home, "directory.db")) { Clock = clock });
        var commands = new DirectoryCommands(directory, clock);
        commands.Accounts.Add(new AddAccount(User, [User, "bulk@example.org"], ["lists.example.org"]));
        Spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(home, "spool"), SegmentSize = 4 << 20 }, clock, new QuickFiles());
        const string Realm = "mail.example.org";
        var options = new AccountOptions
        {
            Sources = [new($"file://{home}/passwd", Realm), new($"digest://{home}/digest", Realm), new("directory", Realm)],
            Protection = new LoginProtectionOptions { LongestDelay = TimeSpan.Zero, AccountAndNetwork = Wide, Account = Wide, Address = Wide, Network = Wide, Device = Wide },
            Issuers = [new TokenIssuer(TokenMint.Issuer, new Uri($"file://{home}/jwks.json"), Introspection: null, TokenMint.Audience, TokenMint.UserClaim)],
        };
        foundation = new AccountFoundation(directory, options, Log, clock);
        accounts = new RelayAccounts(options, foundation);
        var delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org") };
        SmtpListenerOptions[] listeners =
        [
            new() { Name = "submission", Tls = TlsMode.None, Auth = AuthMode.Always },
            new() { Name = "lmtp", Tls = TlsMode.None, Auth = AuthMode.Always, Protocol = MailProtocol.Lmtp },
            new() { Name = "mending", Tls = TlsMode.None, Auth = AuthMode.Always, BareNewlines = BareNewlines.Normalize, XClientFrom = [IPNetwork.Parse("0.0.0.0/0")], XForwardFrom = [IPNetwork.Parse("0.0.0.0/0")] },
            new() { Name = "starttls", Tls = TlsMode.StartTls, Auth = AuthMode.TlsOnly },
        ];
        listeners = [.. listeners.Select(static listener => listener with { Mechanisms = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", "ANONYMOUS"] })];
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = listeners,
            Tls = new TlsOptions(TestCertificate.Instance),
            Policy = new RelayPolicy(new PolicyOptions { Domains = new[] { Domain.Parse("accepted.example") }.ToFrozenSet() }, accounts.Directory, Log, clock),
            MailboxVerifier = new OwnMailboxes(_ => accounts.Directory),
            QueueStarter = new EtrnDomains(new[] { Domain.Parse("accepted.example") }.ToFrozenSet(), new DeliveryScheduler(Spool, NoTransport.Instance, delivery, Log, clock), clock),
            Store = new SubmissionStore(Spool, Log, clock, _ => accounts.Directory),
            Events = new RelayEvents(Log, clock),
            Sasl = accounts.Context,
            Limits = new SessionLimits { FailedLogins = 1000, BadCommands = 1000, Refusals = 1000, MessageOctets = 1_000_000 },
            Clock = clock,
        });
        Listeners = listeners;
        Rules = [.. listeners.Select(static listener => new DialogueRules(new SessionLimits().SaslOctets, ContentOctets: 1_000_000, listener.BareNewlines == BareNewlines.Normalize, listener.Protocol == MailProtocol.Lmtp, StoreDecides: true))];
    }

    public CheckedLog Log { get; } = new();

    public SegmentSpool Spool { get; }

    public IReadOnlyList<SmtpListenerOptions> Listeners { get; }

    public IReadOnlyList<DialogueRules> Rules { get; }

    /// <summary>Holds one session of one of the listeners to its end.</summary>
    public Task HoldAsync(Stream stream, int index, IPAddress client) => server.HoldAsync(stream, Listeners[index], client, port: 4711);

    /// <summary>Nothing that an earlier input did counts for this one: what is remembered of guesses is hours old.</summary>
    public void Begin()
    {
        clock.Advance(TimeSpan.FromHours(2));
        (Log.Fault, Log.Flaw) = (null, null);
    }

    /// <summary>What a client of that letter logs in with.</summary>
    public SaslClientCredentials Credentials(char user, bool isWrong) => new()
    {
        User = user switch { 'c' => "cheap@example.org", 'd' => "dora@example.org", 'u' => "nobody@example.org", _ => User },
        Password = new Secret(isWrong ? "guess" : Password),
        Token = new Secret(Token(isWrong)),
        Host = "mail.example.org",
        MinIterations = 1,
        AuthorizationId = user == 'z' ? "bulk@example.org" : string.Empty,
    };

    /// <summary>What is stored, in order; the spool is empty afterwards.</summary>
    public async ValueTask<List<(SpoolEntry Entry, byte[] Content)>> TakeAsync()
    {
        var taken = new List<(SpoolEntry, byte[])>();
        foreach (var entry in await Spool.ListAsync(QueueFilter.Everything, after: null, int.MaxValue, CancellationToken.None))
        {
            using (var content = (await Spool.OpenContentAsync(entry.Envelope.Id, CancellationToken.None))!)
            {
                var octets = new byte[content.Length];
                for (var at = 0; at < octets.Length;)
                {
                    var read = await content.ReadAsync(at, octets.AsMemory(at), CancellationToken.None);
                    BrokenException.Unless(read > 0, "a stored message is as long as it says");
                    at += read;
                }

                taken.Add((entry, octets));
            }

            await Spool.RemoveAsync(entry.Envelope.Id, CancellationToken.None);
        }

        return taken;
    }

    public void Dispose()
    {
        accounts.Dispose();
        foundation.Dispose();
        directory.Dispose();
        mint.Dispose();
    }

    private string Token(bool isWrong) => mint.Sign(
        Encoding.UTF8.GetBytes($$"""{"iss":"{{TokenMint.Issuer}}","aud":"{{TokenMint.Audience}}","exp":{{clock.GetUtcNow().AddHours(isWrong ? -1 : 1).ToUnixTimeSeconds()}},"email":"{{User}}"}"""), "ES256");

    private sealed class NoTransport : IDeliveryTransport
    {
        public static readonly NoTransport Instance = new();

        public IDeliveryLane OpenLane(NextHop hop) => throw new InvalidOperationException("nothing is delivered here");
    }
}
