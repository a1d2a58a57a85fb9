using System.Net;
using System.Text;
using System.Threading.Channels;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Commands.Try;

/// <summary>The next hop of a run: an SMTP server that takes everything and hands it to whoever waits.</summary>
internal sealed class TrySink : IMessageStore, IEnvelopePolicy, IAsyncDisposable
{
    private const string Rule = "sink";

    private readonly Channel<string> arrived = Channel.CreateUnbounded<string>();
    private readonly SmtpServer server;

    public TrySink(TimeProvider clock) => server = new SmtpServer(new SmtpServerOptions
    {
        Hostname = "sink.example.net",
        Listeners =
        [
            new SmtpListenerOptions
            {
                Name = Rule,
                Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
                Tls = TlsMode.None,
                Auth = AuthMode.Off,
            },
        ],
        Policy = this,
        Store = this,
        Clock = clock,
    });

    public IPEndPoint Endpoint => server.Endpoints[0].Endpoint;

    public void Start() => server.Start();

    /// <summary>The next message, as text.</summary>
    public ValueTask<string> NextAsync(CancellationToken ct) => arrived.Reader.ReadAsync(ct);

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) => new(Verdict.Pass.Instance);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct) =>
        new(new Verdict.Permit(Rule));

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Open(new Draft(arrived.Writer)));

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private sealed class Draft(ChannelWriter<string> arrived) : IMessageDraft
    {
        private readonly StringBuilder content = new();

        public ValueTask AppendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
        {
            content.Append(Encoding.UTF8.GetString(octets.Span));
            return ValueTask.CompletedTask;
        }

        public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
        {
            arrived.TryWrite(content.ToString());
            return new(new StoreOutcome.Stored("received"));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
