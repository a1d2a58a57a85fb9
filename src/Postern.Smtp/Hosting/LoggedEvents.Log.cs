using Postern.Smtp.Overload;
using System.Net;
using Microsoft.Extensions.Logging;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Hosting;

/// <summary>The texts. None has room for a secret or for the argument of a command that was not understood.</summary>
internal sealed partial class LoggedEvents
{
    [LoggerMessage(1, LogLevel.Debug, "{Session}: {Client} connected to {Listener}")]
    private partial void Connected(string session, string listener, IPAddress client);

    [LoggerMessage(2, LogLevel.Warning, "{Client} was turned away from {Listener}: {Reason}")]
    private partial void TurnedAway(string listener, IPAddress client, string reason);

    [LoggerMessage(3, LogLevel.Trace, "{Session}: {Verb}")]
    private partial void Command(string session, string verb);

    [LoggerMessage(4, LogLevel.Debug, "{Session}: {Version} with {Cipher}")]
    private partial void TlsStarted(string session, string version, string cipher);

    [LoggerMessage(5, LogLevel.Information, "{Session}: the TLS handshake with {Client} failed: {Reason}")]
    private partial void TlsFailed(string session, IPAddress client, string reason);

    [LoggerMessage(6, LogLevel.Information, "{Session}: {Client} logged in by {Mechanism} as {Login}")]
    private partial void LoggedIn(string session, IPAddress client, string mechanism, string login);

    [LoggerMessage(7, LogLevel.Warning, "{Session}: {Client} failed to log in by {Mechanism} as {Login}: {Reason}")]
    private partial void LoginFailed(string session, IPAddress client, string mechanism, string login, string reason);

    [LoggerMessage(8, LogLevel.Trace, "{Session}: from {Sender}")]
    private partial void Sender(string session, ReversePath sender);

    [LoggerMessage(9, LogLevel.Trace, "{Session}: to {Recipient}")]
    private partial void Recipient(string session, Mailbox recipient);

    [LoggerMessage(10, LogLevel.Trace, "{Session}: reset")]
    private partial void Reset(string session);

    [LoggerMessage(11, LogLevel.Information, "{Session}: {Client} was refused at {Verb}: {Reply}")]
    private partial void Refused(string session, IPAddress client, string verb, Reply reply);

    [LoggerMessage(
        12, LogLevel.Information, "{Session}: stored {Id}, {Octets} octets from {Sender} to {Recipients} recipients, login {Login}")]
    private partial void Stored(string session, string id, long octets, ReversePath sender, int recipients, string? login);

    [LoggerMessage(13, LogLevel.Error, "{Session}: a policy, a store, an event or the server itself threw")]
    private partial void Fault(Exception fault, string session);

    [LoggerMessage(14, LogLevel.Error, "listener {Listener}: {Reason}")]
    private partial void ListenerTrouble(string listener, string reason);

    [LoggerMessage(15, LogLevel.Debug, "{Session}: over, {Reason}")]
    private partial void Closed(string session, string reason);

    [LoggerMessage(18, LogLevel.Warning, "the load is {State} now: {Gauge} at {Value:0.00}")]
    private partial void LoadChanged(LoadState state, string gauge, double value);

    [LoggerMessage(19, LogLevel.Error, "the gauge {Gauge} threw and is not asked any more")]
    private partial void GaugeFault(Exception fault, string gauge);

    [LoggerMessage(20, LogLevel.Warning, "the connection of the load balancer {Balancer} to {Listener} was dropped: {Reason}")]
    private partial void ProxyRefused(string listener, IPAddress balancer, string reason);

    [LoggerMessage(21, LogLevel.Debug, "{Session}: {Was} named {Client} as its client by XCLIENT")]
    private partial void ClientNamed(string session, IPAddress was, IPAddress client);

    [LoggerMessage(22, LogLevel.Information, "{Session}: {Client} asked by ETRN for {Queue}: {Answer}")]
    private partial void QueueStart(string session, IPAddress client, QueueName queue, QueueStart answer);

    [LoggerMessage(23, LogLevel.Information, "{Session}: {Client} came without a name by {Mechanism}: no login")]
    private partial void CameAnonymously(string session, IPAddress client, string mechanism);

    [LoggerMessage(24, LogLevel.Warning, "{Session}: {Client} is not {Login} any more: {Reason}")]
    private partial void LoginGone(string session, IPAddress client, string? login, string reason);

    [LoggerMessage(25, LogLevel.Error, "{Session}: {Client} may or may not be {Login} still: {Reason}")]
    private partial void LoginUnsure(string session, IPAddress client, string? login, string reason);

    [LoggerMessage(16, LogLevel.Information, "{Listener} listens on {Endpoint}")]
    internal static partial void Listening(ILogger logger, string listener, IPEndPoint endpoint);

    [LoggerMessage(17, LogLevel.Warning, "there is no listener: the SMTP server serves only what ServeAsync is given")]
    internal static partial void NothingToListenOn(ILogger logger);
}
