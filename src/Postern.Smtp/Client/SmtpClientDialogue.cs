using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Sasl.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Client;

/// <summary>
/// The client's half of an SMTP session (RFC 5321 §3) over a connected stream: open it, send any number of messages, quit. Every
/// behaviour of the server is a value; the first that leaves the dialogue out of step ends it (<see cref="IsOpen"/>).
/// </summary>
/// <remarks>One operation at a time. Owns the stream. Over a socket, set NoDelay: each group of commands is one write.</remarks>
public sealed class SmtpClientDialogue : IAsyncDisposable
{
    private readonly SmtpClientOptions options;
    private readonly ClientWire wire;
    private readonly EnvelopeWriter envelope;
    private readonly MailTransactions transactions;
    private readonly TransactionGroup group;
    private readonly ClientNaming naming;
    private SslStream? secured;

    /// <summary>Takes over a connected stream. Nothing is read or written yet.</summary>
    public SmtpClientDialogue(Stream stream, SmtpClientOptions options)
    {
        this.options = options;
        wire = new ClientWire(stream, options);
        envelope = new EnvelopeWriter(wire, options);
        transactions = new MailTransactions(wire, options, envelope);
        group = new TransactionGroup(wire, options, envelope);
        naming = new ClientNaming(wire, options, transactions);
    }

    /// <summary>True while another message can be sent on this connection.</summary>
    public bool IsOpen => wire.IsOpen;

    /// <summary>What the server offered in its last EHLO reply.</summary>
    public SmtpExtensions Extensions { get; private set; } = SmtpExtensions.None;

    /// <summary>
    /// What the server calls itself: the first word of its greeting, and of its reply to EHLO or HELO (RFC 5321 §4.2). Its own text, so
    /// any text; null before it is said.
    /// </summary>
    public (string? Greeting, string? Hello) PeerNames { get; private set; }

    /// <summary>Null on a connection in clear.</summary>
    public TlsFacts? Tls { get; private set; }

    /// <summary>
    /// TLS is on and the server's certificate proved <see cref="SmtpClientOptions.ServerName"/>, whether or not that was asked for.
    /// </summary>
    public bool IsVerified => Tls is not null && wire.IsVerified;

    /// <summary>Why the certificate did not prove that; null where it did, or none was shown.</summary>
    public ServerDistrust? Distrust => wire.Distrust;

    /// <summary>The certificate that the server showed, proven or not, in DER; empty where none was.</summary>
    public ReadOnlyMemory<byte> PeerCertificate => wire.Shown;

    /// <summary>
    /// The shortest time in which the server has answered anything yet: a round trip and little more. <see cref="TimeSpan.MaxValue"/> where
    /// it has not.
    /// </summary>
    public TimeSpan RoundTrip => wire.RoundTrip;

    /// <summary>
    /// The server offers what several messages on their way at a time need: PIPELINING and CHUNKING. Whether it keeps step with them says
    /// <see cref="ProveGroupsAsync"/>.
    /// </summary>
    public bool OffersGroups
    {
        get
        {
            Know();
            return group.IsPossible;
        }
    }

    /// <summary>
    /// What the server did with an envelope that was sent ahead, where it refused it for its place; null where it did not. The dialogue is
    /// over then, and nothing was sent of the message.
    /// </summary>
    public string? RefusedAhead => transactions.Trouble;

    /// <summary>The client that the server was told of last (<see cref="OutgoingMessage.Client"/>); null for nobody.</summary>
    public PeerClaims? NamedClient => naming.Named;

    /// <summary>What the login was made by; null without one.</summary>
    public string? Mechanism { get; private set; }

    /// <summary>
    /// Holds the transactions that follow to <see cref="SmtpTimeouts.Transaction"/> and <see cref="SmtpTimeouts.MinimumRate"/> of another
    /// size.
    /// </summary>
    /// <param name="transaction">Above nothing.</param>
    /// <param name="minimumRate">Octets a second, above nothing.</param>
    public void Hold(TimeSpan transaction, long minimumRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(transaction, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minimumRate);
        wire.Hold(transaction, minimumRate);
    }

    /// <summary>Reads the greeting, says EHLO (or HELO, never where TLS is required), and starts TLS as the options say.</summary>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; a deadline that passed is a value.</exception>
    public async ValueTask<ClientAnswer> OpenAsync(CancellationToken ct)
    {
        wire.Begin(ct);
        try
        {
            if (naming.Header is { Length: > 0 } header)
            {
                wire.Output.Append(header);
                if (!await wire.FlushAsync(ClientPhase.Greeting, options.Timeouts.Command).ConfigureAwait(false))
                    return wire.Fault!;
            }

            if (options.Tls == ClientTls.Implicit && !await SecureAsync(verify: true).ConfigureAwait(false))
                return wire.Fault!;
            var greeting = await wire.ReadAsync(ClientPhase.Greeting, options.Timeouts.Greeting).ConfigureAwait(false);
            PeerNames = (FirstWord(greeting), null);
            return wire.WhyNot(greeting, ClientPhase.Greeting) ?? await IntroduceAsync().ConfigureAwait(false);
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>
    /// Logs in by the strongest mechanism that the server offers, the credentials suit and <paramref name="login"/> allows, once after
    /// <see cref="OpenAsync"/>. One that exposes the secret is used only where <see cref="IsVerified"/>. What was offered stays as it was:
    /// no mechanism here makes a security layer (RFC 4954 §4).
    /// </summary>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; the dialogue is over.</exception>
    public async ValueTask<ClientLoginAnswer> LogInAsync(ClientLogin login, CancellationToken ct)
    {
        if (!IsOpen || Mechanism is not null)
            throw new InvalidOperationException("The dialogue is over, or has a login already");
        var credentials = login.Credentials with
        {
            Channel = secured is null
                ? null
                : (await TlsBindings.OfThisMachineAsync().ConfigureAwait(false)).Of(
                    secured, secured.RemoteCertificate is X509Certificate2 shown ? EndPointHash.Of(shown) : null),
            Host = login.Credentials.Host.Length > 0 ? login.Credentials.Host : options.ServerName ?? string.Empty,
        };
        if (SaslClientMechanisms.Choose(
            Extensions.AuthMechanisms, credentials, IsVerified || login.AllowsExposure, login.Mechanisms) is not var (mechanism, exchange))
            return new ClientLoginAnswer.Unsuitable(
                LoginProspects.WhyNone(Extensions.AuthMechanisms, credentials, login.Mechanisms, Tls is not null));
        wire.Begin(ct);
        wire.Output.IsSecret = true;
        try
        {
            using (exchange)
            {
                var answer = await new SaslClientDialogue(wire, options, mechanism.Name, exchange).RunAsync(credentials)
                    .ConfigureAwait(false);
                Mechanism = (answer as ClientLoginAnswer.Accepted)?.Mechanism;
                return answer;
            }
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>
    /// Makes one mail transaction; answers for each recipient, in order. With <paramref name="following"/>, whose envelope is then
    /// pipelined behind this message's end mark where the server offers PIPELINING (RFC 2920 §3.1), the next call must be for that
    /// very message, or there must be none.
    /// </summary>
    /// <exception cref="MessageContentException">The content could not be read; the dialogue is over and nothing was delivered.</exception>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; the dialogue is over.</exception>
    public async ValueTask<IReadOnlyList<ClientAnswer>> SendAsync(OutgoingMessage message, OutgoingMessage? following, CancellationToken ct)
    {
        if (!IsOpen)
            throw new InvalidOperationException("The dialogue is over");
        wire.Begin(ct, message.Revoked);
        wire.BeginTransaction();
        try
        {
            if (naming.IsNeeded(message.Client) && await NameAsync(message.Client!).ConfigureAwait(false) is { } unnamed)
                return Enumerable.Repeat(unnamed, message.Recipients.Length).ToArray();
            Know();
            return await transactions.SendAsync(message, following).ConfigureAwait(false);
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>
    /// Asks whether the server takes mail for a recipient: MAIL and RCPT, and no content (a call-ahead). What follows on the dialogue
    /// begins with RSET. An address in UTF-8 is only for a server that offers SMTPUTF8.
    /// </summary>
    /// <returns>What RCPT was answered, or MAIL, where that was refused (<see cref="ClientAnswer.Refused.Phase"/>).</returns>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; the dialogue is over.</exception>
    public async ValueTask<ClientAnswer> ProbeAsync(ReversePath sender, Mailbox recipient, CancellationToken ct)
    {
        if (!IsOpen || transactions.IsBespoken)
            throw new InvalidOperationException("The dialogue is over, or another message was announced to follow");
        wire.Begin(ct);
        try
        {
            if (await transactions.ResetAsync().ConfigureAwait(false) is { } cannotReset)
                return cannotReset;
            transactions.ResetNext();
            wire.Output.Append("MAIL FROM:<"u8);
            wire.Output.Append(sender.Address);
            wire.Output.Append(recipient.IsAscii && sender.Mailbox is not { IsAscii: false } ? ">\r\n"u8 : "> SMTPUTF8\r\n"u8);
            if (await CommandAsync(ClientPhase.Mail).ConfigureAwait(false) is (_, { } refused))
                return refused;
            wire.Output.Append("RCPT TO:<"u8);
            wire.Output.Append(recipient.Address);
            wire.Output.Append(">\r\n"u8);
            var (reply, unknown) = await CommandAsync(ClientPhase.Rcpt).ConfigureAwait(false);
            return unknown ?? new ClientAnswer.Accepted(reply!);
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>
    /// Finds out whether the server passes over a chunk that it refuses, and answers what was sent behind it; to be asked before the first
    /// <see cref="SendGroupAsync"/>, once for a server. Some that offer CHUNKING take the content of a refused message for commands.
    /// Where it is false the dialogue is over, and nothing has happened to any message.
    /// </summary>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; the dialogue is over.</exception>
    public async ValueTask<bool> ProveGroupsAsync(CancellationToken ct)
    {
        CheckMayGroup();
        wire.Begin(ct);
        try
        {
            return await group.ProveAsync().ConfigureAwait(false);
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>
    /// Makes the mail transactions of several messages, all of which are on their way before the first is answered, the content of each as
    /// one chunk: RSET, MAIL, RCPT, BDAT LAST (RFC 2920 §3.1, RFC 3030 §2). Only where <see cref="OffersGroups"/>, and with no message
    /// announced to follow.
    /// </summary>
    /// <param name="messages">
    /// As many of them as go together are sent, from the first on. One that is large, binary, or has lines that do not end in CRLF goes
    /// alone, by <see cref="SendAsync"/>. The first's <see cref="OutgoingMessage.Revoked"/> counts for all.
    /// </param>
    /// <param name="answered">
    /// Told of each message that was attempted, in order, as its answers have come, with an answer for each recipient. Of the others the
    /// server has nothing: it left, and said so, before it came to them.
    /// </param>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>; the dialogue is over.</exception>
    public async ValueTask<GroupResult> SendGroupAsync(
        IReadOnlyList<OutgoingMessage> messages, Action<int, IReadOnlyList<ClientAnswer>> answered, CancellationToken ct)
    {
        CheckMayGroup();
        wire.Begin(ct, messages[0].Revoked);
        try
        {
            transactions.ResetNext();
            wire.BeginTransaction(messages.Count);
            return await group.SendAsync(messages, answered).ConfigureAwait(false);
        }
        finally
        {
            wire.End();
        }
    }

    /// <summary>Says QUIT where the dialogue is still in step, waits shortly for the answer and does not mind what it is.</summary>
    public async ValueTask QuitAsync(CancellationToken ct)
    {
        if (!IsOpen)
            return;
        wire.Begin(ct);
        try
        {
            wire.Output.Append("QUIT\r\n"u8);
            if (await wire.FlushAsync(ClientPhase.Ehlo, options.Timeouts.Quit).ConfigureAwait(false))
                await wire.ReadAsync(ClientPhase.Ehlo, options.Timeouts.Quit).ConfigureAwait(false);
            if (secured is not null && wire.Fault is null)
                await secured.ShutdownAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The server left first, as it may after 221.
        }
        finally
        {
            wire.Break(ClientPhase.Ehlo, ClientFault.ConnectionLost, "QUIT was said");
            wire.End();
        }
    }

    /// <summary>Closes the stream; say <see cref="QuitAsync"/> first.</summary>
    public ValueTask DisposeAsync() => wire.DisposeAsync();

    private async ValueTask<ClientAnswer?> NameAsync(PeerClaims client)
    {
        if (transactions.IsBespoken)
            throw new InvalidOperationException("A message of another client was announced to follow");
        if (await naming.NameAsync(client, Extensions).ConfigureAwait(false) is { } unnamed)
            return unnamed;
        return options.Forward == ClientForward.XClient ? naming.Judge(await EhloAsync().ConfigureAwait(false)) : null;
    }

    private void Know() => envelope.Know(Extensions, IsVerified, hasLogin: Mechanism is not null);

    private void CheckMayGroup()
    {
        if (!IsOpen || !OffersGroups)
            throw new InvalidOperationException("The dialogue is over, or the server does not offer what groups need");
        if (transactions.IsBespoken)
            throw new InvalidOperationException("Another message was announced to follow");
    }

    private async ValueTask<ClientAnswer> IntroduceAsync()
    {
        var hello = await EhloAsync().ConfigureAwait(false);
        if (hello is ClientAnswer.Refused { Reply.IsTransient: false } && IsOpen && !options.IsLmtp)
            return await HeloAsync().ConfigureAwait(false);
        if (hello is not ClientAnswer.Accepted)
            return hello;
        return options.Tls switch
        {
            ClientTls.Required or ClientTls.Encrypted when !Extensions.HasStartTls =>
                Broken(ClientFault.TlsUnavailable, "TLS is required and the server does not offer STARTTLS"),
            ClientTls.Required or ClientTls.Encrypted or ClientTls.Opportunistic when Extensions.HasStartTls =>
                await StartTlsAsync(hello).ConfigureAwait(false),
            _ => hello,
        };
    }

    private async ValueTask<ClientAnswer> EhloAsync()
    {
        wire.Output.Append(options.IsLmtp ? "LHLO "u8 : "EHLO "u8);
        var (reply, refused) = await HelloAsync().ConfigureAwait(false);
        if (refused is not null)
            return refused;
        Extensions = SmtpExtensions.Parse(reply!);
        return new ClientAnswer.Accepted(reply!);
    }

    /// <summary>For servers older than RFC 1869. They cannot have STARTTLS, so this way never opens where TLS is required.</summary>
    private async ValueTask<ClientAnswer> HeloAsync()
    {
        if (options.Tls is ClientTls.Required or ClientTls.Encrypted)
            return Broken(ClientFault.TlsUnavailable, "TLS is required and the server refuses EHLO");
        wire.Output.Append("HELO "u8);
        var (reply, refused) = await HelloAsync().ConfigureAwait(false);
        return refused ?? new ClientAnswer.Accepted(reply!);
    }

    private async ValueTask<(Reply? Reply, ClientAnswer? Refused)> HelloAsync()
    {
        wire.Output.Append(naming.Hostname.Text);
        wire.Output.Append("\r\n"u8);
        var answer = await CommandAsync(ClientPhase.Ehlo).ConfigureAwait(false);
        if (answer.Refused is null)
            PeerNames = PeerNames with { Hello = FirstWord(answer.Reply) };
        return answer;
    }

    private static string? FirstWord(Reply? reply) => reply?.Lines[0].Split(' ', 2)[0];

    private async ValueTask<ClientAnswer> StartTlsAsync(ClientAnswer inClear)
    {
        wire.Output.Append("STARTTLS\r\n"u8);
        var (_, refused) = await CommandAsync(ClientPhase.StartTls).ConfigureAwait(false);
        if (refused is ClientAnswer.Refused { Reply: var reply } && IsOpen)
            return options.Tls is ClientTls.Required or ClientTls.Encrypted
                ? Broken(ClientFault.TlsUnavailable, $"TLS is required and the server refuses STARTTLS: {reply}")
                : inClear;
        if (refused is not null)
            return refused;
        if (wire.HasBufferedInput)
            return Broken(ClientFault.Injection, "the server sent octets in clear behind its answer to STARTTLS");
        Extensions = SmtpExtensions.None;
        return await SecureAsync(options.Tls == ClientTls.Required).ConfigureAwait(false)
            ? await EhloAsync().ConfigureAwait(false)
            : wire.Fault!;
    }

    private async ValueTask<bool> SecureAsync(bool verify)
    {
        secured = await wire.StartTlsAsync(verify).ConfigureAwait(false);
        if (secured is null)
            return false;
        Tls = new TlsFacts(secured.SslProtocol, secured.NegotiatedCipherSuite.ToString(), options.ServerName);
        return true;
    }

    private async ValueTask<(Reply? Reply, ClientAnswer? Refused)> CommandAsync(ClientPhase phase)
    {
        await wire.FlushAsync(phase, options.Timeouts.Command).ConfigureAwait(false);
        var reply = await wire.ReadAsync(phase, options.Timeouts.Command).ConfigureAwait(false);
        return (reply, wire.WhyNot(reply, phase));
    }

    private ClientAnswer.Broken Broken(ClientFault fault, string detail)
    {
        wire.Break(ClientPhase.StartTls, fault, detail);
        return wire.Fault!;
    }
}
