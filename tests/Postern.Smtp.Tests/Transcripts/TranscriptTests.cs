using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Sasl;
using Postern.Smtp.Extensions;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transcripts;

/// <summary>
/// Plays every transcript in every chunking against a real server on loopback. <c>= stored n</c>, <c>= content text</c>,
/// <c>= envelope addresses</c>, <c>= mail parameters</c> and <c>= rcpt parameters / parameters</c> look into the store.
/// </summary>
public sealed class TranscriptTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Transcripts");

    public static TheoryData<string, Chunking> All()
    {
        var data = new TheoryData<string, Chunking>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*.smtp").Order(StringComparer.Ordinal))
        {
            foreach (var chunking in Enum.GetValues<Chunking>())
                data.Add(Path.GetFileNameWithoutExtension(file), chunking);
        }

        return data;
    }

    [Fact]
    public void There_are_at_least_200_transcripts() =>
        Assert.True(Directory.GetFiles(Folder, "*.smtp").Length >= 200);

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_transcript_plays_as_written(string name, Chunking chunking)
    {
        var transcript = Transcript.Load(Path.Combine(Folder, name + ".smtp"));
        var store = new MemoryStore();
        await using var server = new SmtpServer(Options(transcript.Setup, store));
        server.Start();
        using var deadline = new CancellationTokenSource(Patience);
        await using var player = await Player.ConnectAsync(server.Endpoints[0].Endpoint, deadline.Token);

        for (var i = 0; i < transcript.Lines.Count; i++)
        {
            var line = transcript.Lines[i];
            if (line.IsClient)
            {
                var group = transcript.Lines.Skip(i).TakeWhile(static l => l.IsClient).ToList();
                await player.SendAsync(group, chunking);
                i += group.Count - 1;
            }
            else if (line.Kind[0] == 'S')
            {
                await player.ExpectAsync(line.Text, wholeReply: line.Kind == "S+", $"{name}, line {line}");
            }
            else
            {
                await player.ActAsync(line.Text, store);
            }
        }
    }

    private static SmtpServerOptions Options(IReadOnlyDictionary<string, string> setup, MemoryStore store)
    {
        var passwords = new TestPasswords(setup.GetValueOrDefault("accounts", "alice:secret").Split(' '));
        var secrets = setup.ContainsKey("secrets") ? new TestSecrets() : null;
        if (setup.TryGetValue("refuse at data", out var atData))
            store.RefuseAtData = ParseReply(atData);
        if (setup.TryGetValue("refuse at commit", out var atCommit))
            store.RefuseAtCommit = ParseReply(atCommit);
        if (setup.TryGetValue("per recipient", out var perRecipient))
            store.PerRecipient = [.. perRecipient.Split(" | ").Select(ParseReply)];
        if (setup.TryGetValue("honours", out var honours))
            store.Honours = Enum.Parse<StoreFeatures>(honours);
        return new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners =
            [
                new SmtpListenerOptions
                {
                    Name = "test",
                    Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
                    Tls = Enum.Parse<TlsMode>(setup.GetValueOrDefault("tls", "none"), ignoreCase: true),
                    Auth = Enum.Parse<AuthMode>(setup.GetValueOrDefault("auth", "always"), ignoreCase: true),
                    Mechanisms = setup.TryGetValue("mechanisms", out var mechanisms) ? mechanisms.Split(' ') : null,
                    WithoutMechanisms = setup.TryGetValue("without mechanisms", out var gone) ? gone.Split(' ') : [],
                    MechanismsUnderTls = setup.TryGetValue("under tls", out var underTls) ? underTls.Split(' ') : [],
                    Protocol = Enum.Parse<MailProtocol>(setup.GetValueOrDefault("protocol", "smtp"), ignoreCase: true),
                    BareNewlines = Enum.Parse<BareNewlines>(setup.GetValueOrDefault("bare newlines", "reject"), ignoreCase: true),
                    Addresses = Enum.Parse<AddressGrammar>(setup.GetValueOrDefault("addresses", "lenient"), ignoreCase: true),
                    WithoutExtensions = setup.TryGetValue("without", out var without) ? without.Split(' ') : [],
                    Clients = setup.TryGetValue("clients", out var clients) ? [IPNetwork.Parse(clients)] : null,
                    ProxyFrom = Networks(setup, "proxy from"),
                    XClientFrom = Networks(setup, "xclient from"),
                    XForwardFrom = Networks(setup, "xforward from"),
                    XVerpFrom = Networks(setup, "xverp from"),
                },
            ],
            Policy = setup.ContainsKey("binary") ? new BinaryPolicy() : new TestPolicy(),
            Store = store,
            QueueStarter = setup.TryGetValue("etrn", out var domains) ? new TestQueueStarter(domains.Split(' ')) : null,
            Tls = new TlsOptions(TestCertificate.Instance),
            Sasl = new SaslContext
            {
                Passwords = passwords,
                Grants = passwords,
                ScramSecrets = secrets,
                SharedSecrets = secrets,
                DigestSecrets = secrets,
                Tokens = secrets,
                AllowsAnonymous = secrets is not null,
            },
            Limits = new SessionLimits
            {
                MessageOctets = long.Parse(setup.GetValueOrDefault("size", "50000000")),
                Recipients = int.Parse(setup.GetValueOrDefault("recipients", "1000")),
                BadCommands = int.Parse(setup.GetValueOrDefault("bad commands", "20")),
                Refusals = int.Parse(setup.GetValueOrDefault("refusals", "100")),
                CommandsPerMessage = int.Parse(setup.GetValueOrDefault("commands per message", "5000")),
                FailedLogins = int.Parse(setup.GetValueOrDefault("failed logins", "5")),
            },
        };
    }

    private static IPNetwork[]? Networks(IReadOnlyDictionary<string, string> setup, string key) =>
        setup.TryGetValue(key, out var text) ? [.. text.Split(' ').Select(IPNetwork.Parse)] : null;

    private static Reply ParseReply(string text)
    {
        var parts = text.Split(' ', 3);
        return new Reply(int.Parse(parts[0]), EnhancedStatus.Parse(parts[1]), parts[2]);
    }

    private sealed class Player(Socket socket, Stream network, CancellationToken ct) : IAsyncDisposable
    {
        private readonly byte[] octet = new byte[1];
        private Stream stream = network;

        public static async Task<Player> ConnectAsync(IPEndPoint server, CancellationToken ct)
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server, ct);
            return new Player(socket, new NetworkStream(socket, ownsSocket: false), ct);
        }

        public async Task SendAsync(List<TranscriptLine> group, Chunking chunking)
        {
            try
            {
                switch (chunking)
                {
                    case Chunking.Whole:
                        await stream.WriteAsync(group.SelectMany(static l => l.ToOctets()).ToArray(), ct);
                        break;
                    case Chunking.Line:
                        foreach (var line in group)
                            await stream.WriteAsync(line.ToOctets(), ct);
                        break;
                    default:
                        foreach (var single in group.SelectMany(static l => l.ToOctets()).Chunk(1).Take(2000))
                            await stream.WriteAsync(single, ct);
                        await stream.WriteAsync(group.SelectMany(static l => l.ToOctets()).Skip(2000).ToArray(), ct);
                        break;
                }
            }
            catch (IOException)
            {
                // The server closed while we were still sending; what it said before is what the next lines check.
            }
        }

        public async Task ExpectAsync(string pattern, bool wholeReply, string where)
        {
            var line = await ReadLineAsync();
            while (wholeReply && line is { Length: > 3 } && line[3] == '-')
                line = await ReadLineAsync();
            var regex = "^" + Regex.Escape(pattern).Replace("\\*", ".*") + "$";
            Assert.True(
                line is not null && Regex.IsMatch(line, regex, RegexOptions.NonBacktracking),
                $"{where}{Environment.NewLine}expected: {pattern}{Environment.NewLine}received: {line ?? "(closed)"}");
        }

        public async Task ActAsync(string action, MemoryStore store)
        {
            string[] word = [.. action.Split(' ', 2), string.Empty];
            switch (word[0])
            {
                case "tls":
                    var tls = new SslStream(stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
                    stream = tls;
                    await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, ct);
                    break;
                case "eof":
                    socket.Shutdown(SocketShutdown.Send);
                    break;
                case "closed":
                    Assert.Null(await ReadLineAsync());
                    break;
                case "stored":
                    Assert.Equal(int.Parse(word[1]), store.Messages.Count);
                    break;
                case "content":
                    Assert.Equal(Encoding.Latin1.GetString(Transcript.Unescape(word[1])), Encoding.Latin1.GetString(store.Messages.Last().Content));
                    break;
                case "envelope":
                    Assert.Equal(word[1], $"{store.Messages.Last().Sender} {string.Join(' ', store.Messages.Last().Recipients)}");
                    break;
                case "mail":
                    Assert.Equal(word[1], ParameterText.ForNextHop(store.Messages.Last().Parameters, static _ => true).TrimStart());
                    break;
                case "rcpt":
                    Assert.Equal(word[1], string.Join(" / ", store.Messages.Last().RecipientParameters.Select(static p => ParameterText.ForNextHop(p, static _ => true).TrimStart())));
                    break;
                case "protocol":
                    Assert.Equal(word[1], store.Messages.Last().Protocol);
                    break;
                default:
                    Assert.Fail($"unknown action '{action}'");
                    break;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stream.DisposeAsync();
            socket.Dispose();
        }

        private async Task<string?> ReadLineAsync()
        {
            var line = new StringBuilder();
            try
            {
                while (await stream.ReadAsync(octet, ct) == 1)
                {
                    line.Append((char)octet[0]);
                    if (line.Length >= 2 && line[^1] == '\n' && line[^2] == '\r')
                        return line.ToString(0, line.Length - 2);
                }
            }
            catch (IOException)
            {
                // A reset is a close too: the server did not read all that was sent.
            }

            return line.Length == 0 ? null : line.ToString();
        }
    }
}
