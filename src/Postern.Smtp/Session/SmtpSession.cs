using System.ComponentModel;
using System.Net.Sockets;
using System.Security.Authentication;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>
/// The session loop: read a line, look the verb up, ask it, queue its one reply, do what it says comes after. It knows no verb.
/// </summary>
internal sealed class SmtpSession(SmtpListener listener, SmtpTransport transport, SessionState state) : IAsyncDisposable
{
    /// <summary>How much of an overlong line is skipped in the hope of a CRLF.</summary>
    private const int SkippedLineOctets = 64 * 1024;

    private readonly CancellationTokenSource reading = new();
    private readonly SmtpServerOptions server = listener.Server;
    private RecentMailboxes? senders;
    private RecentMailboxes? recipients;
    private long deadline = long.MaxValue;
    private Reply? farewell;
    private int badCommands;
    private int refusals;
    private int commands;
    private bool betweenCommands;

    public SmtpListener Listener => listener;

    public SmtpServerOptions Server => server;

    public SessionState State => state;

    /// <summary>The limits in force for this session now: the listener's, or tighter ones under pressure.</summary>
    public SessionLimits Limits => listener.Limits;

    public bool HasBufferedInput => transport.HasBufferedInput;

    public bool LacksRequiredTls => listener.Options.Tls == TlsMode.Required && state.Tls is null;

    /// <summary>What this listener offers in the present state of TLS and login.</summary>
    public Capabilities Capabilities => listener.CapabilitiesFor(state.Tls is not null, state.Identity is not null);

    /// <summary>Who was named as sender lately.</summary>
    public RecentMailboxes Senders => senders ??= new RecentMailboxes();

    /// <summary>Who was named as recipient lately.</summary>
    public RecentMailboxes Recipients => recipients ??= new RecentMailboxes();

    /// <summary>What mechanisms with channel binding compare; null in clear.</summary>
    public ChannelBindings? Channel { get; private set; }

    /// <summary>Set by AUTH for the SASL dialogue that follows it.</summary>
    public SaslDialogue? Dialogue { get; set; }

    /// <summary>Set by DATA for the content that follows it.</summary>
    public IMessageDraft? Draft { get; set; }

    /// <summary>True while a command line is awaited, not content: the moment at which a stopping server may say 421.</summary>
    public bool IsBetweenCommands
    {
        get => Volatile.Read(ref betweenCommands);
        private set => Volatile.Write(ref betweenCommands, value);
    }

    public async Task RunAsync()
    {
        var reason = "lost connection";
        try
        {
            server.Events.OnConnected(state);
            reason = await ConverseAsync();
        }
        catch (OperationCanceledException) when (farewell is { } reply)
        {
            reason = reply == StandardReply.ShuttingDown ? "server stopping" : "timeout";
            await SayFarewellAsync(reply);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
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
            await EndTransactionAsync();
            server.Events.OnClosed(state, reason);
        }
    }

    /// <summary>Called from outside the loop, by the server's clock: ends a wait that took too long.</summary>
    public void ExpireAt(long now)
    {
        if (now >= Volatile.Read(ref deadline))
            Interrupt(StandardReply.IdleTooLong);
    }

    /// <summary>Called from outside the loop: ends the session with this reply as soon as it waits for the client.</summary>
    public void Interrupt(Reply reply)
    {
        if (Interlocked.CompareExchange(ref farewell, reply, comparand: null) is not null)
            return;
        try
        {
            reading.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself in this moment.
        }
    }

    /// <summary>Ends the transaction, if any: RSET, EHLO, end of data, end of session.</summary>
    public async ValueTask EndTransactionAsync()
    {
        state.Transaction = null;
        if (Draft is { } draft)
        {
            Draft = null;
            await draft.DisposeAsync();
        }
    }

    /// <summary>Waits for one line under a deadline; the deadline covers the whole line, however slowly it comes.</summary>
    public async ValueTask<(LineOutcome Outcome, ReadOnlyMemory<byte> Line)> ReadLineAsync(int maxOctets, bool idle)
    {
        SetDeadline(Limits.Idle);
        var read = await transport.ReadLineAsync(maxOctets, idle, reading.Token);
        ClearDeadline();
        return read;
    }

    public async ValueTask<bool> SkipLineAsync()
    {
        SetDeadline(Limits.Idle);
        var found = await transport.SkipLineAsync(SkippedLineOctets, reading.Token);
        ClearDeadline();
        return found;
    }

    /// <summary>Queues octets for the client; when the queue is full, a client that reads nothing has no more time than one that says nothing.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets)
    {
        SetDeadline(Limits.Idle);
        await transport.WriteAsync(octets, reading.Token);
        ClearDeadline();
    }

    public async ValueTask DisposeAsync()
    {
        await transport.DisposeAsync();
        reading.Dispose();
    }

    private async ValueTask<string> ConverseAsync()
    {
        if (listener.Options.Tls == TlsMode.Implicit && !await HandshakeAsync())
            return "TLS handshake failed";
        await SayAsync(listener.Greeting);

        while (true)
        {
            IsBetweenCommands = true;
            var (outcome, line) = await ReadLineAsync(Limits.SaslOctets, idle: state.Phase <= Phase.Ready);
            IsBetweenCommands = false;
            if (outcome == LineOutcome.Closed)
                return "lost connection";

            var step = outcome switch
            {
                LineOutcome.Line when ++commands > Limits.CommandsPerMessage + Limits.Recipients => Refuse("?", StandardReply.TooManyErrors, After.Close),
                LineOutcome.Line => await AnswerAsync(line),
                LineOutcome.TooLong when await SkipLineAsync() => Refuse("?", StandardReply.LineTooLong),
                LineOutcome.TooLong => Refuse("?", StandardReply.LineTooLong, After.Close),
                _ => Refuse("?", StandardReply.BadOctet, After.Close),
            };
            if (step.Next is { } phase)
                state.Phase = phase;
            if (step.Reply is { } reply)
                await SayAsync(reply);

            var goesOn = step.After switch
            {
                After.ReadCommand => true,
                After.ReceiveMessage => await ReceiveAsync(),
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
        var verb = VerbTable.Find(command.Verb.Span);
        if (verb is null)
            return CommandLine.IsForeignProtocol(line.Span) ? Refuse("?", StandardReply.NotSmtp, After.Close) : Refuse("?", StandardReply.UnknownCommand);
        if (line.Length + 2 > Limits.CommandOctets && verb != Verbs.Auth.Row)
            return Refuse(verb.Name, StandardReply.LineTooLong);
        server.Events.OnCommand(state, verb.Name);

        var step = VerbTable.WhyNot(verb, this, command.Argument.Span) ?? await verb.HandleAsync(this, command.Argument, reading.Token);
        if (step.Reply is not { IsPositive: false } refusal)
            return step;
        var mustClose = verb.Needs.HasFlag(Needs.ContentBehind) && HasBufferedInput;
        return Refuse(verb.Name, refusal, mustClose ? After.Close : step.After);
    }

    private Step Refuse(string verb, Reply reply, After after = After.ReadCommand)
    {
        server.Events.OnRefused(state, verb, reply);
        return IsOneTooMany(reply) ? new Step(StandardReply.TooManyErrors, After: After.Close) : new Step(reply, After: after);
    }

    /// <summary>Counts what the client got wrong and what it was denied; enough of either ends the session.</summary>
    private bool IsOneTooMany(Reply refusal)
    {
        if (refusal == StandardReply.TooManyRecipients)
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

        await SayAsync(reply);
        return stays;
    }

    private async ValueTask<bool> ReceiveAsync()
    {
        var transaction = state.Transaction!;
        var reader = new DataReader(transport, Limits.MessageOctets);
        var begun = server.Clock.GetTimestamp();
        var end = await reader.ReadAsync(Draft!, () => SetDataDeadline(reader.Octets, begun), reading.Token);
        ClearDeadline();
        if (end == DataEnd.Closed)
            return false;

        var outcome = end switch
        {
            DataEnd.Complete => await Draft!.CommitAsync(CancellationToken.None),
            DataEnd.BareLineEnd => new StoreOutcome.Refused(StandardReply.BareLineEnd),
            _ => new StoreOutcome.Refused(StandardReply.SizeLimit(Limits.MessageOctets)),
        };
        var reply = outcome switch
        {
            StoreOutcome.Stored(var id) => StandardReply.Queued(id),
            StoreOutcome.Refused(var refusal) => refusal,
            _ => StandardReply.InternalError,
        };
        server.Events.OnReceived(state, transaction, reader.Octets, outcome);
        if (reply.IsPositive)
            (refusals, commands) = (0, 0);
        else
            server.Events.OnRefused(state, Verbs.Data.Row.Name, reply);
        await EndTransactionAsync();
        state.Phase = Phase.Ready;
        await SayAsync(reply);
        return end != DataEnd.Endless && reply.Code != 421;
    }

    /// <summary>After it, nothing of what was said before counts (RFC 3207 §4.2).</summary>
    private async ValueTask<bool> HandshakeAsync()
    {
        SetDeadline(Limits.Handshake);
        try
        {
            var tls = await transport.StartTlsAsync(listener.Tls!, reading.Token);
            ClearDeadline();
            await EndTransactionAsync();
            state.ForgetAll(tls.Facts);
            Channel = tls.Shown?.Channel;
            listener.NoteOffers(state);
            server.Events.OnTlsStarted(state);
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or Win32Exception
                                      || (e is OperationCanceledException && farewell == StandardReply.IdleTooLong))
        {
            server.Events.OnTlsFailed(state, e is OperationCanceledException ? "the handshake took too long" : (e.InnerException ?? e).Message);
            return false;
        }
    }

    private ValueTask SayAsync(Reply reply) => WriteAsync(reply.Encoded);

    private async ValueTask SayFarewellAsync(Reply reply)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), server.Clock);
        try
        {
            await transport.WriteAsync(reply, patience.Token);
            await transport.CloseAsync(patience.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException or NotSupportedException)
        {
            // The client does not listen any more; the connection is dropped all the same.
        }
    }

    private async ValueTask CloseAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), server.Clock);
        await transport.CloseAsync(patience.Token);
    }

    private void SetDeadline(TimeSpan wait)
    {
        if (listener.IsStopping && IsBetweenCommands)
            Interrupt(StandardReply.ShuttingDown);
        Volatile.Write(ref deadline, server.Clock.GetTimestamp() + (long)(wait.TotalSeconds * server.Clock.TimestampFrequency));
    }

    /// <summary>For the next part of the content, and for all of it: octet by octet a message would last for years.</summary>
    private void SetDataDeadline(long octets, long begun)
    {
        var limits = Limits;
        var left = limits.DataBlock + TimeSpan.FromSeconds((double)octets / limits.DataOctetsPerSecond) - server.Clock.GetElapsedTime(begun);
        SetDeadline(left < limits.DataBlock ? left : limits.DataBlock);
    }

    private void ClearDeadline() => Volatile.Write(ref deadline, long.MaxValue);
}
