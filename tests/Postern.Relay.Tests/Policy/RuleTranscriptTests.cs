using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>
/// Each rule as a client meets it: a session with the rules that the file's head lists, under <c># recipient: one; another</c> and so on.
/// <c># list NAME: rules</c> is a list that has a name, <c># table NAME: lines</c> a file (written <c>TABLE:NAME</c> in rules),
/// <c># device NAME: client N; login; from A; to B</c>, <c># tenant NAME: header F; login L; domain D</c>, <c># networks</c>, <c># domains</c>, <c># client</c> (203.0.113.9 otherwise), <c># suppressed</c>, <c># tls</c>. A client with an address
/// in 192.0.2.0/24 shows a certificate, CERT in rules. Behind <c>=</c>: <c>envelope sender recipients</c>, <c>tenant name</c>, <c>held</c>, <c>header text</c>
/// of the last message, <c>stored count</c>, <c>decided rule</c>, <c>later time</c>.
/// </summary>
public sealed class RuleTranscriptTests
{
    private const string Usual = "permit_authenticated; reject_unauth_destination";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Policy", "Transcripts");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Rules() => [.. RelayRules.All.Select(static r => r.Name)];

    /// <summary>A file is named by the rule that it is about, with or without more behind two dashes.</summary>
    [Fact]
    public void Every_transcript_is_of_a_rule() =>
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.smtp").Select(static f => Path.GetFileNameWithoutExtension(f).Split("--")[0]).Except(RelayRules.All.Select(static r => r.Name)));

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task Its_transcripts_go_as_written_and_it_says_in_them_what_its_row_in_the_table_says(string word)
    {
        var said = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*.smtp").Where(f => Path.GetFileNameWithoutExtension(f).Split("--")[0] == word))
        {
            using var world = new World(Transcript.Load(file));
            await world.PlayAsync();
            said.UnionWith(world.Audit.Events.OfType<DecisionEvent>().SelectMany(static e => e.Chain).Where(s => s.Rule == word).Select(static s => s.Said));
        }

        var (doc, stages) = RelayRules.All.Where(r => r.Name == word).Select(static r => (r.Doc, r.Stages)).Single();
        Assert.True(File.Exists(Path.Combine(Folder, word + ".smtp")), $"there is no Policy/Transcripts/{word}.smtp");
        // A message that goes on is no decision of its own: what is done with it shows in the message.
        Assert.True(said.Count > 0 || stages == RuleStage.Message, "it is asked in none of them");
        if (doc.StartsWith("refuse", StringComparison.Ordinal))
            Assert.Contains("refuse", said);
        if (doc.StartsWith("permit:", StringComparison.Ordinal) && word != "permit_system_user")
            Assert.Contains("permit", said);
        if (word is not ("permit" or "reject" or "defer") && stages != RuleStage.Message)
            Assert.True(said.Count > 1 || said.Contains("pass"), "what it lets by is in none of them");
    }

    private sealed class World : IDisposable
    {
        private readonly Transcript transcript;
        private readonly ManualClock clock = new();
        private readonly DirectoryInfo files = Directory.CreateTempSubdirectory();
        private readonly MemorySpool spool = new();
        private readonly FakeDirectory directory = new Judge().Directory;
        private readonly LocalCounters counters;
        private readonly LoginWatch watch;

        public World(Transcript transcript)
        {
            this.transcript = transcript;
            watch = new LoginWatch(path: null, suspended: null, Audit, clock);
            counters = LocalCounters.Open(Path.Combine(files.FullName, "counters"), Audit, clock);
        }

        public RecordingAuditLog Audit { get; } = new();

        public void Dispose()
        {
            counters.Dispose();
            watch.Dispose();
            files.Delete(recursive: true);
        }

        public async Task PlayAsync()
        {
            foreach (var (key, text) in transcript.Setup.Where(static s => s.Key.StartsWith("table ", StringComparison.Ordinal)))
                await File.WriteAllTextAsync(Path.Combine(files.FullName, key[6..]), Encoding.UTF8.GetString(Transcript.Unescape(text)) + "\n", Ct);
            var policy = new RelayPolicy(
                new PolicyOptions
                {
                    Networks = [.. Words("networks").Select(IPNetwork.Parse)],
                    Domains = [.. Words("domains").Select(Domain.Parse)],
                    ClientRules = Rules("client rules"),
                    HeloRules = Rules("helo"),
                    SenderRules = Rules("sender"),
                    RecipientRules = Rules("recipient", Usual),
                    MessageRules = Rules("message"),
                    Classes = transcript.Setup.Where(static s => s.Key.StartsWith("list ", StringComparison.Ordinal))
                        .ToImmutableSortedDictionary(static s => s.Key[5..], s => Rules(s.Key), StringComparer.Ordinal),
                    Recipients = new KnownRecipients(),
                    Devices = new DeviceTable(transcript.Setup.Where(static s => s.Key.StartsWith("device ", StringComparison.Ordinal)).Select(static s => DeviceOf(s.Key[7..], s.Value)), ["submission"]),
                    Tenants = new TenantTable(transcript.Setup.Where(static s => s.Key.StartsWith("tenant ", StringComparison.Ordinal)).Select(static s => TermsOf(s.Key[7..], s.Value))),
                },
                directory,
                Audit,
                clock,
                counters,
                suppressions: new Suppressed([.. Words("suppressed")]),
                names: new SaidNames())
            {
                Watch = watch,
            };
            var passwords = new TestPasswords("alice:secret", "mailer:secret", "carol:secret", "dave:secret");
            var listener = new SmtpListenerOptions
            {
                Name = "submission",
                Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
                Tls = Enum.Parse<TlsMode>(transcript.Setup.GetValueOrDefault("tls", "none"), ignoreCase: true),
                Auth = AuthMode.Always,
                ProxyFrom = [IPNetwork.Parse("127.0.0.1/32")],
                AsksForClientCertificate = transcript.Setup.ContainsKey("tls"),
            };
            await using var server = new SmtpServer(new SmtpServerOptions
            {
                Hostname = "mail.example.org",
                Listeners = [listener],
                Policy = policy,
                Store = new SubmissionStore(spool, Audit, clock, _ => directory, policy: policy),
                Sasl = new SaslContext { Passwords = passwords, Grants = passwords },
                Tls = new TlsOptions(TestCertificate.Instance),
            });
            var client = IPAddress.Parse(transcript.Setup.GetValueOrDefault("client", Judge.Stranger));
            server.Start();
            await using var dialogue = await SmtpDialogue.OpenAsync(server.Endpoints[0].Endpoint);
            dialogue.Certificate = client.ToString().StartsWith("192.0.2.", StringComparison.Ordinal) ? TestCertificate.Instance : null;
            await dialogue.WriteAsync($"PROXY TCP4 {client} 127.0.0.1 40000 25\r\n");
            await PlayAsync(dialogue);
        }

        private async Task PlayAsync(SmtpDialogue dialogue)
        {
            foreach (var line in transcript.Lines)
            {
                if (line.IsClient)
                    await dialogue.WriteAsync(line.ToOctets());
                else if (line.Kind[0] == 'S')
                    Expect(line, (await dialogue.ReadReplyAsync()).Split('\n')[^1]);
                else
                    await ActAsync(dialogue, line.Text.Split(' ', 2));
            }
        }

        private async Task ActAsync(SmtpDialogue dialogue, string[] action)
        {
            switch (action[0])
            {
                case "tls":
                    await dialogue.StartTlsAsync();
                    break;
                case "later":
                    clock.Advance(TimeSpan.Parse(action[1], System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case "decided":
                    Assert.Equal(action[1], Audit.Events.OfType<DecisionEvent>().Last().Rule);
                    break;
                case "held":
                    Assert.True(spool.List()[^1].State.Held);
                    break;
                case "envelope":
                    var said = spool.List()[^1].Envelope;
                    Assert.Equal(action[1], $"<{said.Sender.Address}> {string.Join(' ', said.Recipients.Select(static r => r.Address))}");
                    break;
                case "tenant":
                    Assert.Equal(action[1], spool.List()[^1].Envelope.Tenant);
                    break;
                case "header":
                    Assert.Contains("\r\n" + Encoding.Latin1.GetString(Transcript.Unescape(action[1])) + "\r\n", await ContentAsync(), StringComparison.Ordinal);
                    break;
                case "stored":
                    Assert.Equal(int.Parse(action[1], System.Globalization.CultureInfo.InvariantCulture), spool.Count);
                    break;
                default:
                    Assert.Fail($"unknown action '{action[0]}'");
                    break;
            }
        }

        private async Task<string> ContentAsync()
        {
            using var content = spool.OpenContent(spool.List()[^1].Envelope.Id)!;
            var octets = new byte[content.Length];
            Assert.Equal(octets.Length, await content.ReadAsync(0, octets, Ct));
            return Encoding.Latin1.GetString(octets);
        }

        private void Expect(TranscriptLine line, string received)
        {
            var pattern = "^" + Regex.Escape(line.Text).Replace("\\*", ".*", StringComparison.Ordinal) + "$";
            Assert.True(
                Regex.IsMatch(received, pattern, RegexOptions.NonBacktracking),
                $"{transcript.Name}, line {line}{Environment.NewLine}received: {received}");
        }

        private static TenantTerms TermsOf(string name, string text)
        {
            var said = text.Split("; ").Select(static s => s.Split(' ', 2)).ToLookup(static s => s[0], static s => s[1]);
            return new TenantTerms(name) { Header = said["header"].SingleOrDefault(), Logins = [.. said["login"]], Domains = [.. said["domain"].Select(Domain.Parse)] };
        }

        private static DeviceTerms DeviceOf(string name, string text)
        {
            var said = text.Split("; ").Select(static s => s.Split(' ', 2)).ToLookup(static s => s[0], static s => s[^1]);
            return new DeviceTerms(name)
            {
                Listeners = ["submission"],
                Clients = [.. said["client"].Select(IPNetwork.Parse)],
                Login = said["login"].Any() ? LoginNeed.Required : LoginNeed.Optional,
                From = said["from"].Where(static from => from != "login").Select(Mailbox.Parse).SingleOrDefault(),
                IsFromRewritten = said["from"].Contains("login"),
                To = [.. said["to"]],
            };
        }

        private string[] Words(string key) =>
            transcript.Setup.GetValueOrDefault(key, string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries);

        private ImmutableArray<RuleEntry> Rules(string key, string usual = "") =>
        [
            .. transcript.Setup.GetValueOrDefault(key, usual).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(text => RuleEntry.Parse(text
                .Replace("TABLE:", files.FullName + "/", StringComparison.Ordinal)
                .Replace("CERT", TestCertificate.Instance.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256), StringComparison.Ordinal))),
        ];
    }

    private sealed class Suppressed(string[] addresses) : ISuppressions
    {
        public ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct) =>
            new(addresses.Contains(recipient.Canonical) ? new Suppression(Tenant: null, recipient.Canonical, "it bounced", DateTimeOffset.UnixEpoch, ExpiresAt: null) : null);
    }

    private sealed class KnownRecipients : IListedRecipients
    {
        public string? WhyListed(Mailbox recipient) => recipient.Address == "staff@example.org" ? "it stands in aliases" : null;

        public bool IsLocal(Domain domain) => false;
    }
}
