using System.Net;
using System.Net.Sockets;
using Postern.Smtp;
using Postern.Smtp.Authentication;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Samples;

/// <summary>A relay for those who log in: each sends as itself, and reads the next hop's own answer.</summary>
internal sealed class Relayer(IPEndPoint nextHop, params IEnumerable<Account> accounts)
{
    private readonly Dictionary<string, Account> known = accounts.ToDictionary(static a => a.Name, StringComparer.OrdinalIgnoreCase);

    public TlsOptions Tls { get; } = TlsOptions.SelfSigned("localhost"); // in earnest: new TlsOptions(certificate)

    public SmtpServer Start()
    {
        var options = new SmtpServerOptions
        {
            Tls = Tls,
            Policy = EnvelopePolicy.From(EnvelopePolicy.LoggedInOnly.OnRecipientAsync, JudgeSenderAsync),
            Store = MessageStore.From(RelayAsync),
        };
        options.Authenticate(DecideAsync);
        options.Listen(0);
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private ValueTask<AuthenticationResult> DecideAsync(SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct)
    {
        if (credentials is not LoginCredentials.UserPassword(var user, var password))
            return new(new AuthenticationResult.Refused());
        var account = known.GetValueOrDefault(user, Account.Nobody);
        return new(account.Matches(password) ? new AuthenticationResult.Accepted(account.Name, loginData: account) : new AuthenticationResult.Refused());
    }

    /// <summary>Logged in is not permitted: the account says what its addresses are.</summary>
    private static async ValueTask<Verdict> JudgeSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        session.LoginData is not Account account ? await EnvelopePolicy.LoggedInOnly.OnSenderAsync(session, sender, ct)
        : account.Owns(sender) ? Verdict.Pass.Instance
        : new Verdict.Refuse(new Reply(553, new(5, 7, 1), "That address is not yours"), "own_addresses");

    /// <summary>The client reads 250 only after the next hop has said it, so nothing is kept here that could be lost. Of several recipients the first refusal is said.</summary>
    private async Task<StoreOutcome> RelayAsync(ReceivedMessage message, CancellationToken ct)
    {
        try
        {
            using var socket = new TcpClient { NoDelay = true };
            await socket.ConnectAsync(nextHop, ct);
            await using var client = new SmtpClientDialogue(socket.GetStream(), new SmtpClientOptions { Hostname = Domain.Parse("relay.example.org") });
            if (await client.OpenAsync(ct) is not ClientAnswer.Accepted)
                return new StoreOutcome.Refused(new Reply(451, new(4, 4, 1), "The next hop takes nothing now, try again later"));
            var answers = await client.SendAsync(new OutgoingMessage(message.Sender, message.Recipients, MessageContent.From(message.Content)), following: null, ct);
            await client.QuitAsync(ct);
            return new StoreOutcome.PerRecipient([.. answers.Select(static answer => answer switch
            {
                ClientAnswer.Accepted(var reply) => reply,
                ClientAnswer.Refused(_, var reply) => reply,
                _ => new Reply(451, new(4, 4, 2), "The next hop was lost, try again later"),
            })]);
        }
        catch (SocketException)
        {
            return new StoreOutcome.Refused(new Reply(451, new(4, 4, 1), "The next hop cannot be reached, try again later"));
        }
    }
}
