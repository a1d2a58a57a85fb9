using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;
using Postern.Smtp;
using Postern.Smtp.Client;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// Takes messages of users whom the system has named, such as those who run <c>postern sendmail</c>. Each is a session with a server of its
/// own, held over memory: so such a message meets the same rules, limits, review of its header, trace fields and events as any other.
/// </summary>
internal sealed class LocalSubmission : ILocalIntake, IAsyncDisposable
{
    /// <summary>The listener's name, as rules, routes, decisions and the log have it.</summary>
    public const string Listener = "sendmail";

    private static readonly IPEndPoint Here = new(IPAddress.Loopback, 0);

    private readonly SmtpServer server;
    private readonly DeliveryScheduler deliveries;
    private volatile Func<string, IDirectory> directoryOf;
    private volatile SmtpClientOptions client;

    /// <param name="deliveries">Writes what is told of a refusal.</param>
    public LocalSubmission(SmtpServerOptions options, Func<string, IDirectory> directoryOf, DeliveryScheduler deliveries)
    {
        (this.directoryOf, this.deliveries) = (directoryOf, deliveries);
        server = new SmtpServer(options);
        client = ClientOf(options);
    }

    /// <summary>Messages that begin from now on go by these options.</summary>
    public void Apply(SmtpServerOptions options, Func<string, IDirectory> directories)
    {
        server.Apply(options);
        (directoryOf, client) = (directories, ClientOf(options));
    }

    public async ValueTask<IReadOnlyList<ClientAnswer>> SubmitAsync(
        string user, SmtpEnvelope envelope, IMessageContent content, CancellationToken ct)
    {
        var (near, far) = DuplexStream.Pair();
        var listener = new SmtpListenerOptions
        {
            Name = Listener,
            Tls = TlsMode.None,
            Auth = AuthMode.Always,
            BareNewlines = BareNewlines.Normalize,
            Sasl = new SaslContext { External = new SystemUser(user, directoryOf(Listener)) },
        };
        var session = server.ServeAsync(far, Here, listener, ct);
        try
        {
            await using var dialogue = new SmtpClientDialogue(near, client);
            return await SubmitAsync(dialogue, envelope, content, ct).ConfigureAwait(false);
        }
        finally
        {
            await session.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask<bool> ReportRefusedAsync(
        string user,
        SmtpEnvelope envelope,
        IReadOnlyList<ClientAnswer.Refused> answers,
        ReadOnlyMemory<byte> header,
        CancellationToken ct)
    {
        var now = client.Clock.GetUtcNow();
        // Nobody vouches for a sender that this user may not have.
        if (answers[0] is { Phase: ClientPhase.Mail, IsForeseen: false })
            envelope = envelope with { Sender = new(Mailbox.TryParse($"{user}@{client.Hostname}", out var own) ? own : null) };
        var original = new Envelope
        {
            Id = QueueId.New(client.Clock),
            ArrivedAt = now,
            Said = Envelope.Keep(envelope),
            Login = user,
            Client = Here.Address,
            Listener = Listener,
        };
        return deliveries.ReportRefusedAsync(original, [.. answers.Select(static answer => answer.Reply)], header, ct);
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync().ConfigureAwait(false);

    private static async ValueTask<IReadOnlyList<ClientAnswer>> SubmitAsync(
        SmtpClientDialogue dialogue, SmtpEnvelope envelope, IMessageContent content, CancellationToken ct)
    {
        var opened = await dialogue.OpenAsync(ct).ConfigureAwait(false);
        if (opened is not ClientAnswer.Accepted)
            return ForAll(envelope, opened);
        // EXTERNAL is the right word: who it is was established before, by the system.
        var login = new ClientLogin(new SaslClientCredentials { HasClientCertificate = true });
        switch (await dialogue.LogInAsync(login, ct).ConfigureAwait(false))
        {
            case ClientLoginAnswer.Accepted:
                break;
            case ClientLoginAnswer.Refused(_, var reply):
                return ForAll(envelope, new ClientAnswer.Refused(ClientPhase.Mail, reply));
            case var other:
                return ForAll(envelope, new ClientAnswer.Broken(ClientPhase.Mail, ClientFault.ProtocolError, other.ToString()));
        }

        var answers = await dialogue.SendAsync(new OutgoingMessage(envelope, content), following: null, ct).ConfigureAwait(false);
        await dialogue.QuitAsync(ct).ConfigureAwait(false);
        return answers;
    }

    private static ClientAnswer[] ForAll(SmtpEnvelope envelope, ClientAnswer answer) =>
        [.. Enumerable.Repeat(answer, envelope.Recipients.Length)];

    private static SmtpClientOptions ClientOf(SmtpServerOptions options) => new()
    {
        Hostname = Domain.TryParse(options.Hostname, out var name) ? name : Domain.Parse("localhost"),
        Tls = ClientTls.None,
        Clock = options.Clock,
    };

    /// <summary>Whom the system has named. An account of the same name in the directory says whose tenant's it is.</summary>
    private sealed class SystemUser(string user, IDirectory directory) : IExternalIdentity
    {
        public async ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct)
        {
            try
            {
                var account = await directory.FindAccountAsync(user, ct).ConfigureAwait(false);
                return new LoginAnswer.Match(user)
                {
                    LoginData = new LoginFacts(account?.Tenant) { IsSystemUser = true, Keep = account?.Keep },
                };
            }
            catch (DirectoryUnavailableException e)
            {
                return new LoginAnswer.Unavailable(e.Message);
            }
        }
    }
}

/// <summary>
/// What such sessions tell: refusals and faults. That the user has logged in says nothing that the acceptance does not.
/// </summary>
internal sealed class LocalEvents(ISmtpEvents events) : ISmtpEvents
{
    public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome) =>
        events.OnReceived(session, transaction, octets, outcome);

    public void OnFault(SessionState session, Exception fault) => events.OnFault(session, fault);

    public void OnClosed(SessionState session, string reason) => events.OnClosed(session, reason);
}
