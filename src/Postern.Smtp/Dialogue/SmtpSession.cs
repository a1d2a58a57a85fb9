using System.ComponentModel;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// The session loop: read a line, look the verb up, ask it, queue its one reply, do what it says comes after. It knows no verb.
/// </summary>
internal sealed class SmtpSession(Service service, SmtpTransport transport, SessionState state) : ISessionFacts, IAsyncDisposable
{
    /// <summary>How much of an overlong line is skipped in the hope of a CRLF.</summary>
    private const int SkippedLineOctets = 64 * 1024;

    /// <summary>
    /// How long an answer is awaited before anybody looks whether the client is still there; real time, it only spreads the work.
    /// </summary>
    private static readonly TimeSpan Unwatched = TimeSpan.FromMilliseconds(50);

    /// <summary>How much longer an answer is awaited for a client that says no more.</summary>
    private static readonly TimeSpan ForListeners = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource reading = new();
    private readonly SmtpServerOptions server = service.Server;
    private readonly SessionDeadline deadline = new(service.Server.Clock);
    private RecentMailboxes? senders;
    private RecentMailboxes? recipients;
    private MessageReception? reception;
    private ChunkReception? chunks;
    private Reply? farewell;
    private Reply? dismissal;
    private LoginAnswer? doubt;
    private bool committing;
    private int badCommands;
    private int refusals;
    private int commands;
    private bool betweenCommands;
    private bool owesAnswer;

    public Service Service => service;

    public SmtpServerOptions Server => server;

    public SessionState State => state;

    /// <summary>The limits in force for this session now: the listener's, or tighter ones under pressure.</summary>
    public SessionLimits Limits => service.LimitsFor(state.IsLoggedIn);

    public bool HasBufferedInput => transport.HasBufferedInput;

    public bool LacksRequiredTls => service.Options.Tls == TlsMode.Required && state.Tls is null;

    /// <summary>What this listener offers in the present state of TLS and login, to this peer with or without a certificate.</summary>
    public Capabilities Capabilities =>
        service.CapabilitiesFor(
            state.Tls is not null, state.IsLoggedIn, state.Trust, state.OwnCertificate is not null, Channel?.TiesTheConnection == true);

    /// <summary>Who was named as sender lately.</summary>
    public RecentMailboxes Senders => senders ??= new RecentMailboxes();

    /// <summary>Who was named as recipient lately.</summary>
    public RecentMailboxes Recipients => recipients ??= new RecentMailboxes();

    /// <summary>Whether the listener takes this mailbox in this spelling.</summary>
    public bool Takes(ReadOnlySpan<byte> address) => service.Options.Addresses == AddressGrammar.Lenient || LocalParts.IsStrict(address);

    /// <summary>Its place at the gate; null where nobody counts.</summary>
    public GateSeat? Seat { get; init; }

    /// <summary>What mechanisms with channel binding compare; null in clear.</summary>
    public ChannelBindings? Channel { get; private set; }

    /// <summary>Set by AUTH for the SASL dialogue that follows it.</summary>
    public SaslDialogue? Dialogue { get; set; }

    /// <summary>Takes the content of messages.</summary>
    public MessageReception Reception => reception ??= new MessageReception(this, transport);

    /// <summary>Takes the chunks of BDAT.</summary>
    public ChunkReception Chunks => chunks ??= new ChunkReception(this, transport);

    /// <summary>What a command says that came before the greeting.</summary>
    public Reply HelloFirst => state.IsLmtp ? StandardReply.LhloFirst : StandardReply.HelloFirst;

    /// <summary>What content says that has no recipients (RFC 5321 §3.3; RFC 2033 §4.2 wants 503).</summary>
    public Reply NoRecipients => state.IsLmtp ? StandardReply.NoRecipientsByLmtp : StandardReply.NoRecipients;

    /// <summary>
    /// True while a line is awaited, a command or a SASL response, and no content: the moment at which a stopping server may say 421.
    /// </summary>
    public bool IsBetweenCommands
    {
        get => Volatile.Read(ref betweenCommands);
        private set => Volatile.Write(ref betweenCommands, value);
    }

    public async Task RunAsync()
    {
        var reason = "lost connection";
        service.Instruments.Accepted(state.Listener);
        try
        {
            deadline.ExpectMessage(Limits);
            server.Events.OnConnected(state);
            reason = await ConverseAsync();
        }
        catch (OperationCanceledException) when (farewell is { } reply)
        {
            reason = reply == StandardReply.ShuttingDown ? "server stopping"
                : reply == StandardReply.UnderLoad ? "overload"
                : reply == StandardReply.LoginGone ? "login revoked"
                : reply == StandardReply.Dismissed ? "ended by the operator"
                : "timeout";
            if (reply == StandardReply.LoginGone && doubt is { } gone)
                server.Events.OnLoginReviewed(state, gone);
            await SayFarewellAsync(reply);
        }
        catch (ConnectionLostException)
        {
            reason = "lost connection";
        }
        catch (Exception e)
        {
            // Whatever is broken ends this session and no other.
            reason = "internal error";
            server.Events.OnFault(state, e);
            await SayFarewellAsync(StandardReply.InternalError);
        }
        finally
        {
            await GiveUpTransactionAsync();
            service.Instruments.Ended(state, server.Clock);
            server.Events.OnClosed(state, reason);
        }
    }

    /// <summary>Called from outside the loop, by the server's clock: ends a wait that took too long.</summary>
    public void ExpireAt(long now)
    {
        var isUrgent = service.Load > LoadState.Normal && IsBetweenCommands;
        if (deadline.ExpiredAt(now, isUrgent ? Limits.Idle : null) is { } reply)
            Interrupt(reply);
    }

    /// <summary>Called from outside the loop: ends the session with this reply as soon as it waits for the client.</summary>
    public void Interrupt(Reply reply)
    {
        if (Interlocked.CompareExchange(ref farewell, reply, comparand: null) is not null)
            return;
        try
        {
            // What a policy or a store has hung on the token is not run here: the clock, which sees to every session, calls this.
            _ = reading.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself in this moment.
        }
    }

    /// <summary>
    /// Called from outside the loop: ends the session like <see cref="Interrupt"/>. A message that is being stored has its answer first:
    /// without it, the client would send it again.
    /// </summary>
    public void Dismiss(Reply reply)
    {
        if (Interlocked.CompareExchange(ref dismissal, reply, comparand: null) is null && !Volatile.Read(ref committing))
            Interrupt(reply);
    }

    /// <summary>
    /// From here to <see cref="EndCommit"/> nothing interrupts. Not null: the session was dismissed before, and this is the answer.
    /// </summary>
    public Reply? BeginCommit()
    {
        // With the exchange in Dismiss: one of the two sees the other.
        Interlocked.Exchange(ref committing, true);
        return Volatile.Read(ref dismissal);
    }

    /// <summary>The session may be ended again; one that was dismissed meanwhile ends when it waits for the next command.</summary>
    public void EndCommit() => Volatile.Write(ref committing, false);

    /// <summary>
    /// Awaits an answer that somebody else gives, and withdraws the question when the client leaves: nobody waits for it then. A client
    /// that says nothing more (a script behind a pipe) may still listen, and is waited for a little longer.
    /// </summary>
    /// <param name="withdraw">Cancelled then; the question was asked with its token.</param>
    /// <exception cref="ConnectionLostException">The client has left.</exception>
    public async ValueTask<T> WhileThereAsync<T>(ValueTask<T> asked, CancellationTokenSource withdraw)
    {
        if (asked.IsCompleted)
            return await asked;
        var answer = asked.AsTask();
        if (await IsWaitedForAsync(answer))
            return await answer;
        await withdraw.CancelAsync();
        // What the question was asked about is the client's, and in use until it has ended.
        await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        throw new ConnectionLostException("the client left while it was asked about");
    }

    /// <summary>False when the client leaves before the answer is there.</summary>
    private async Task<bool> IsWaitedForAsync(Task answer)
    {
        // Nearly all answers come at once, and to watch a connection costs more than such an answer.
        if (await IsInTimeAsync(answer, Unwatched, TimeProvider.System))
            return true;
        using var watching = new CancellationTokenSource();
        var sign = transport.WatchAsync(watching.Token);
        try
        {
            if (await Task.WhenAny(answer, sign) == answer)
                return true;
            switch (await sign)
            {
                case ClientSign.Gone:
                    return false;
                case ClientSign.SaysNoMore:
                    return await IsInTimeAsync(answer, ForListeners, server.Clock);
                default:
                    await answer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    return true;
            }
        }
        finally
        {
            await watching.CancelAsync();
            await sign;
        }
    }

    private static async Task<bool> IsInTimeAsync(Task answer, TimeSpan time, TimeProvider clock)
    {
        using var ended = new CancellationTokenSource();
        var isInTime = await Task.WhenAny(answer, Task.Delay(time, clock, ended.Token)) == answer;
        await ended.CancelAsync();
        return isInTime;
    }

    /// <summary>
    /// Asks whether who logged in may still act. Null: yes, or nobody has logged in; else 421 where the login is gone, 451 where that
    /// cannot be said.
    /// </summary>
    public async ValueTask<Reply?> ReviewLoginAsync(CancellationToken ct)
    {
        if (state.Authority is not { } authority)
            return null;
        var review = await AskAsync(authority, ct);
        if (review is LoginAnswer.Holds)
            return null;
        server.Events.OnLoginReviewed(state, review);
        return review is LoginAnswer.NoMatch ? StandardReply.LoginGone : StandardReply.LoginUnsure;
    }

    /// <summary>
    /// Called from outside the loop: the same for a session that may say nothing for long. One whose login is gone is ended.
    /// </summary>
    public async ValueTask<LoginAnswer> ReviewFromOutsideAsync(CancellationToken ct)
    {
        if (state.Authority is not { } authority)
            return LoginAnswer.Holds.Instance;
        var review = await AskAsync(authority, ct);
        if (review is not LoginAnswer.NoMatch || !ReferenceEquals(state.Authority, authority))
            return review is LoginAnswer.NoMatch ? LoginAnswer.Holds.Instance : review;
        doubt ??= review;
        Dismiss(StandardReply.LoginGone);
        return review;
    }

    /// <summary>Ends the transaction, if any: RSET, EHLO, end of data, end of session.</summary>
    public async ValueTask EndTransactionAsync()
    {
        state.Transaction = null;
        state.Forwarded = PeerClaims.None;
        if (reception is not null)
            await reception.EndAsync();
        chunks?.End();
    }

    /// <summary>A message is stored: what went wrong before it does not count any more.</summary>
    public void CountAnew()
    {
        (refusals, commands, owesAnswer) = (0, 0, true);
        deadline.ExpectMessage(Limits);
    }

    /// <summary>The command was a part of a message, and is not counted.</summary>
    public void Uncount() => commands--;

    /// <summary>Waits for one line under a deadline; the deadline covers the whole line, however slowly it comes.</summary>
    public async ValueTask<(LineOutcome Outcome, ReadOnlyMemory<byte> Line)> ReadLineAsync(int maxOctets, bool idle)
    {
        if (reception is { IsOpen: true } content)
            content.SetDeadline();
        else
            deadline.SetIdle(Limits);
        // A stop interrupts who waits for a command, and not the reply before it: a message whose 250 is cut off would come again.
        if (owesAnswer && transport.HasPendingReplies(maxOctets))
        {
            await transport.FlushAsync(reading.Token);
            owesAnswer = false;
        }

        IsBetweenCommands = reception is not { IsOpen: true };
        if (service.IsStopping && IsBetweenCommands)
            Interrupt(StandardReply.ShuttingDown);
        else if (Volatile.Read(ref dismissal) is { } reply && IsBetweenCommands)
            Interrupt(reply);
        var read = await transport.ReadLineAsync(maxOctets, idle, reading.Token);
        IsBetweenCommands = false;
        deadline.Clear();
        return read;
    }

    public async ValueTask<bool> SkipLineAsync()
    {
        deadline.SetIdle(Limits);
        var found = await transport.SkipLineAsync(SkippedLineOctets, reading.Token);
        deadline.Clear();
        return found;
    }

    /// <summary>
    /// Queues octets for the client; when the queue is full, a client that reads nothing has no more time than one that says nothing.
    /// </summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets)
    {
        deadline.SetIdle(Limits);
        await transport.WriteAsync(octets, reading.Token);
        deadline.Clear();
    }

    public ValueTask SayAsync(Reply reply) => WriteAsync(reply.Encoded);

    /// <inheritdoc cref="SessionDeadline.SetData"/>
    public void SetDataDeadline(long octets, long begun, bool isWanted = true) => deadline.SetData(Limits, octets, begun, isWanted);

    public void ClearDeadline() => deadline.Clear();

    public async ValueTask DisposeAsync()
    {
        await transport.DisposeAsync();
        reading.Dispose();
    }

    private async ValueTask<string> ConverseAsync()
    {
        if (service.Options.Tls == TlsMode.Implicit && !await HandshakeAsync())
            return "TLS handshake failed";
        await SayAsync(service.Greeting);

        while (true)
        {
            var (outcome, line) = await ReadLineAsync(Limits.SaslOctets, idle: state.Phase <= Phase.Ready);
            if (outcome == LineOutcome.Closed)
                return "lost connection";

            var step = outcome switch
            {
                LineOutcome.Line when ++commands > Limits.CommandsPerMessage + Limits.Recipients =>
                    Refuse("?", StandardReply.TooManyErrors, After.Close),
                LineOutcome.Line => await AnswerAsync(line),
                LineOutcome.TooLong => await SkipAsync(),
                _ => RefuseOctets(),
            };
            if (step.Next is { } phase)
                state.Phase = phase;
            if (step.Reply is { } reply)
                await SayAsync(reply);

            var goesOn = step.After switch
            {
                After.ReadCommand => true,
                After.ReceiveMessage => await Reception.ReceiveMessageAsync(reading.Token),
                After.ReceiveChunk => await Chunks.ReceiveAsync(reading.Token),
                After.RunSasl => await AuthenticateAsync(),
                After.StartTls => await HandshakeAsync(),
                _ => false,
            };
            if (!goesOn)
            {
                await CloseAsync();
                return step.Reply == StandardReply.Bye ? "quit" : "closed";
            }
        }
    }

    private async ValueTask<Step> AnswerAsync(ReadOnlyMemory<byte> line)
    {
        var command = CommandLine.Split(line);
        var verb = VerbTable.Find(command.Verb.Span, service.Options.Protocol);
        NotePipelining(verb);
        if (verb is null)
            return CommandLine.IsForeignProtocol(line.Span)
                ? Refuse("?", StandardReply.NotSmtp, After.Close)
                : Refuse("?", StandardReply.UnknownCommand);
        if (line.Length + 2 > Limits.CommandOctets && verb != Verbs.Auth.Row)
            return RefuseWithContent(verb, command.Argument.Span, StandardReply.LineTooLong, After.ReadCommand);
        server.Events.OnCommand(state, verb.Name);

        var step = VerbTable.WhyNot(verb, this, command.Argument.Span) ?? await verb.HandleAsync(this, command.Argument, reading.Token);
        if (step.Reply is { IsPositive: false } refusal)
            return RefuseWithContent(verb, command.Argument.Span, refusal, step.After);
        if (step.Reply is { Code: var code })
            service.Instruments.Answered(verb.Name, code);
        return step;
    }

    /// <summary>Only noted: a policy may go by it.</summary>
    private void NotePipelining(Verb? verb)
    {
        var needs = verb?.Needs ?? Needs.None;
        if (HasBufferedInput && (needs.HasFlag(Needs.EndOfGroup) || !(state.IsExtended || needs.HasFlag(Needs.ChunkBehind))))
            state.PipelinedBehind ??= verb?.Name ?? "?";
    }

    private Step RefuseOctets()
    {
        if (LineReader.IsHello(transport.Buffered.Span))
            server.Events.OnTlsFailed(
                state,
                state.Tls is not null
                    ? "the client begins TLS within TLS"
                    : $"the client begins TLS where plain text comes first; {TlsHere}");
        return Refuse("?", StandardReply.BadOctet, After.Close);
    }

    private string TlsHere =>
        service.Options.Tls == TlsMode.None
            ? "this listener has no TLS (tls: none)"
            : "it has to say STARTTLS, or to use a listener with tls: implicit";

    /// <summary>A line longer than any; what stands at its beginning still tells whether content follows.</summary>
    private async ValueTask<Step> SkipAsync()
    {
        var verb = VerbTable.Find(CommandLine.Split(transport.Buffered).Verb.Span, service.Options.Protocol);
        var after = await SkipLineAsync() ? After.ReadCommand : After.Close;
        return verb is null
            ? Refuse("?", StandardReply.LineTooLong, after)
            : RefuseWithContent(verb, argument: default, StandardReply.LineTooLong, after);
    }

    /// <summary>A refused command does not leave the content behind it to be read as commands.</summary>
    private Step RefuseWithContent(Verb verb, ReadOnlySpan<byte> argument, Reply refusal, After after)
    {
        if (after == After.ReadCommand && verb.Needs.HasFlag(Needs.ChunkBehind))
        {
            if (Chunk.TryParse(argument, out var chunk))
            {
                Chunks.Expect(chunk, refusal);
                return new Step(Reply: null, After: After.ReceiveChunk);
            }

            after = After.Close;
        }
        else if (verb.Needs.HasFlag(Needs.ContentBehind) && HasBufferedInput)
        {
            after = After.Close;
        }

        return Refuse(verb.Name, refusal, after);
    }

    public Step Refuse(string verb, Reply reply, After after = After.ReadCommand)
    {
        service.Instruments.Answered(verb, reply.Code);
        server.Events.OnRefused(state, verb, reply);
        return IsOneTooMany(reply) ? new Step(StandardReply.TooManyErrors, After: After.Close) : new Step(reply, After: after);
    }

    /// <summary>Counts what the client got wrong and what it was denied; enough of either ends the session.</summary>
    private bool IsOneTooMany(Reply refusal)
    {
        if (refusal == StandardReply.TooManyRecipients || refusal == StandardReply.ChunksFailed)
            return false;
        var isBad = refusal.Code is >= 500 and < 510 && ++badCommands >= Limits.BadCommands;
        return ++refusals >= Limits.Refusals || isBad;
    }

    private async ValueTask<bool> AuthenticateAsync()
    {
        var dialogue = Dialogue!;
        Dialogue = null;
        var (reply, stays) = await dialogue.RunAsync(reading.Token);
        if (!reply.IsPositive)
        {
            var step = Refuse(Verbs.Auth.Row.Name, reply, stays ? After.ReadCommand : After.Close);
            reply = stays ? step.Reply! : reply;
            stays = step.After == After.ReadCommand;
        }
        else
        {
            service.Instruments.Answered(Verbs.Auth.Row.Name, reply.Code);
        }

        await SayAsync(reply);
        return stays;
    }

    /// <summary>After it, nothing of what was said before counts (RFC 3207 §4.2).</summary>
    private async ValueTask<bool> HandshakeAsync()
    {
        deadline.Set(Limits.Handshake);
        try
        {
            var tls = await transport.StartTlsAsync(service.Tls!, reading.Token);
            deadline.Clear();
            await EndTransactionAsync();
            state.ForgetAll(tls.Facts);
            Channel = (await TlsBindings.OfThisMachineAsync()).Of(tls, tls.Shown?.EndPoint);
            service.NoteOffers(state);
            service.Instruments.Handshake(tls.Facts);
            server.Events.OnTlsStarted(state);
            return true;
        }
        catch (Exception e)
            when (e is AuthenticationException or IOException or Win32Exception
                or CryptographicException // a certificate that cannot be read
                || (e is OperationCanceledException && farewell == StandardReply.IdleTooLong))
        {
            service.Instruments.Handshake(facts: null);
            server.Events.OnTlsFailed(state, transport.HandshakeTrouble ?? (e.InnerException ?? e).Message);
            return false;
        }
    }

    private async ValueTask SayFarewellAsync(Reply reply)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), server.Clock);
        try
        {
            await transport.WriteAsync(reply, patience.Token);
            await transport.CloseAsync(patience.Token);
        }
        catch (Exception e)
            when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException or NotSupportedException)
        {
            // The client does not listen any more; the connection is dropped all the same.
        }
    }

    /// <summary>Whatever a draft throws while it is given up, the session is over all the same.</summary>
    private async ValueTask GiveUpTransactionAsync()
    {
        try
        {
            await EndTransactionAsync();
        }
        catch (Exception e)
        {
            server.Events.OnFault(state, e);
        }
    }

    private async ValueTask CloseAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), server.Clock);
        await transport.CloseAsync(patience.Token);
    }

    private static async ValueTask<LoginAnswer> AskAsync(ILoginAuthority authority, CancellationToken ct)
    {
        try
        {
            return await authority.ReviewAsync(ct);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return new LoginAnswer.Unavailable($"the question whether the login still holds threw {e.GetType().Name}");
        }
    }
}
