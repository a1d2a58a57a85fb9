using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Client;

/// <summary>
/// The client's side of one connection: gathers output, writes it whole, reads replies, each under a deadline. The first fault ends it:
/// it stays in <see cref="Fault"/>, and everything later answers null or false.
/// </summary>
internal sealed class ClientWire(Stream stream, SmtpClientOptions options) : IAsyncDisposable
{
    /// <summary>Long chains of large keys have room.</summary>
    private const int MaxHandshakeOctets = 128 * 1024;

    private readonly CancellationTokenSource deadline = new(Timeout.InfiniteTimeSpan, options.Clock);
    private Stream stream = stream;
    private ReplyReader reader = new(stream, options.Replies);
    private CancellationTokenRegistration registration;
    private CancellationTokenRegistration revocation;
    private CancellationToken revoked;
    private long flushedAt;
    private TimeSpan transaction = options.Timeouts.Transaction;
    private long minimumRate = options.Timeouts.MinimumRate;

    /// <summary>When the transaction must be over; a timestamp of the clock.</summary>
    private long endsAt = long.MaxValue;

    /// <summary>When content began to be written; 0 where none is.</summary>
    private long contentAt;

    /// <summary>Octets of it that were taken.</summary>
    private long taken;

    public OutputBuffer Output { get; } = new();

    /// <summary>The token of the operation under way.</summary>
    public CancellationToken Caller { get; private set; }

    public ClientAnswer.Broken? Fault { get; private set; }

    /// <summary>The server said 421: it is closing (RFC 5321 §3.8).</summary>
    public bool IsClosing { get; private set; }

    public bool IsOpen => Fault is null && !IsClosing;

    /// <summary>The shortest time in which the server answered anything; the greatest there is, before.</summary>
    public TimeSpan RoundTrip { get; private set; } = TimeSpan.MaxValue;

    /// <summary>The server's certificate verified, for the name in the options.</summary>
    public bool IsVerified { get; private set; }

    /// <summary>
    /// The octets of the server's certificate, which itself does not outlive a handshake that fails; empty before it was shown.
    /// </summary>
    public ReadOnlyMemory<byte> Shown { get; private set; }

    /// <summary>Why it did not; null where it did, or was not shown.</summary>
    public ServerDistrust? Distrust { get; private set; }

    public bool HasBufferedInput => reader.HasBufferedInput;

    /// <summary>Begins an operation of a caller, whose token ends it with an exception instead of a fault.</summary>
    /// <param name="revoked">The same, until <see cref="BeginEnd"/>.</param>
    public void Begin(CancellationToken ct, CancellationToken revoked = default)
    {
        ct.ThrowIfCancellationRequested();
        revoked.ThrowIfCancellationRequested();
        Caller = ct;
        this.revoked = revoked;
        revocation = revoked.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        registration = ct.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
    }

    /// <summary>Holds transactions to other limits than those of the options.</summary>
    public void Hold(TimeSpan longest, long slowest) => (transaction, minimumRate) = (longest, slowest);

    /// <summary>The time of a transaction begins, or of several that are made at once and answered one after another.</summary>
    public void BeginTransaction(int count = 1) =>
        endsAt = After(options.Clock.GetTimestamp(), transaction + ((count - 1) * options.Timeouts.EndOfData));

    /// <summary>Content is written from here on: its time follows its length, and is not the transaction's.</summary>
    public void BeginContent()
    {
        if (endsAt != long.MaxValue)
            (contentAt, taken) = (options.Clock.GetTimestamp(), 0);
    }

    /// <summary>
    /// What is written next may make the server responsible: from here on only its answer, its silence or the caller ends the operation.
    /// </summary>
    public void BeginEnd()
    {
        revocation.Dispose();
        if (revoked.IsCancellationRequested)
        {
            Break(ClientPhase.Content, ClientFault.ConnectionLost, "abandoned");
            revoked.ThrowIfCancellationRequested();
        }

        revoked = default;
        if (contentAt == 0)
            return;
        // What was left of its time is left still, and the wait for the answer is never shorter than it should be (RFC 1047).
        var now = options.Clock.GetTimestamp();
        endsAt = Math.Max(After(now, options.Timeouts.EndOfData), now + (endsAt - contentAt));
        contentAt = 0;
    }

    public void End()
    {
        (endsAt, contentAt) = (long.MaxValue, 0);
        registration.Dispose();
        revocation.Dispose();
        revoked = default;
        Output.Release();
        if (IsOpen)
            deadline.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Writes all output at once.</summary>
    public async ValueTask<bool> FlushAsync(ClientPhase phase, TimeSpan timeout)
    {
        if (Fault is not null)
            return false;
        var whole = timeout;
        try
        {
            var writing = stream.WriteAsync(Output.Memory, deadline.Token);
            if (!writing.IsCompleted)
                deadline.CancelAfter(timeout = Within(timeout));
            await writing.ConfigureAwait(false);
            taken += Output.Length;
            Output.Clear();
            flushedAt = options.Clock.GetTimestamp();
            return true;
        }
        catch (OperationCanceledException) when (!IsCalledOff)
        {
            Break(phase, ClientFault.Timeout, WhyCut(timeout, whole) ?? Seconds("the server took no more data for", timeout));
        }
        catch (OperationCanceledException)
        {
            Break(phase, ClientFault.ConnectionLost, "abandoned");
            ThrowIfCalledOff();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Break(phase, ClientFault.ConnectionLost, (e.InnerException ?? e).Message, e);
        }

        return false;
    }

    /// <summary>The next reply; null after a fault.</summary>
    /// <param name="lineOctets">What a line may be, where that is more than the options say.</param>
    public async ValueTask<Reply?> ReadAsync(ClientPhase phase, TimeSpan timeout, int lineOctets = 0)
    {
        if (Fault is not null)
            return null;
        ReplyRead read;
        var whole = timeout;
        try
        {
            var reading = reader.ReadAsync(deadline.Token, lineOctets);
            if (!reading.IsCompleted)
                deadline.CancelAfter(timeout = Within(timeout));
            read = await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!IsCalledOff)
        {
            Break(phase, ClientFault.Timeout, WhyCut(timeout, whole) ?? Seconds("no reply within", timeout));
            return null;
        }
        catch (OperationCanceledException)
        {
            Break(phase, ClientFault.ConnectionLost, "abandoned");
            ThrowIfCalledOff();
            return null;
        }

        if (read.Reply is { } reply)
        {
            if (flushedAt != 0 && options.Clock.GetElapsedTime(flushedAt) is var took && took < RoundTrip)
                RoundTrip = took;
            flushedAt = 0;
            IsClosing |= reply.Code == 421;
            return reply;
        }

        Break(phase, read.Fault == ReplyFault.Lost ? ClientFault.ConnectionLost : ClientFault.ProtocolError, read.Detail!);
        return null;
    }

    /// <summary>Why a reply is not the 2xx that <paramref name="phase"/> needs; null when it is.</summary>
    public ClientAnswer? WhyNot(Reply? reply, ClientPhase phase)
    {
        if (reply is { Code: >= 400 })
            return new ClientAnswer.Refused(phase, reply);
        if (reply is { Code: >= 300 })
            Break(phase, ClientFault.ProtocolError, $"the server answered out of step: {reply}");
        return Fault;
    }

    /// <summary>What the server still said before the connection broke under our writing; null when nothing can be read.</summary>
    public async ValueTask<Reply?> LastWordsAsync()
    {
        if (Fault is not { Fault: ClientFault.ConnectionLost } || deadline.IsCancellationRequested)
            return null;
        deadline.CancelAfter(options.Timeouts.Quit);
        try
        {
            return (await reader.ReadAsync(deadline.Token).ConfigureAwait(false)).Reply;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>
    /// Handshakes over the connection and goes on with a new reader; null after a fault. Verifies when the options say so.
    /// </summary>
    public async ValueTask<SslStream?> StartTlsAsync(bool verify)
    {
        var network = new HandshakeStream(stream, slots: null, MaxHandshakeOctets);
        var tls = new SslStream(network, leaveInnerStreamOpen: false);
        stream = tls;
        try
        {
            deadline.CancelAfter(options.Timeouts.Handshake);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = options.ServerName ?? string.Empty,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    AllowRenegotiation = false,
                    // A resumed session shows no issuers, and a proof may need them.
                    AllowTlsResume = options.Proof is null,
                    CertificateChainPolicy = Remembers ? ServerTrust.NoPolicy() : ServerTrust.PolicyFor(options.TrustedRoots),
                    ClientCertificateContext = options.Certificate is { } own ? ContextOf(own) : null,
                    // Opportunistic TLS takes any certificate: the other choice is no TLS at all (RFC 7435).
                    RemoteCertificateValidationCallback = (source, certificate, chain, errors) => Verify(source, certificate, chain, errors)
                        || !verify,
                },
                deadline.Token).ConfigureAwait(false);
            reader = new ReplyReader(tls, options.Replies);
            return tls;
        }
        catch (OperationCanceledException) when (!Caller.IsCancellationRequested)
        {
            Break(ClientPhase.StartTls, ClientFault.Timeout, Seconds("no TLS handshake within", options.Timeouts.Handshake));
        }
        catch (Exception e)
            when (e is AuthenticationException or IOException or SocketException or ObjectDisposedException
                or CryptographicException) // the last: a certificate that cannot be read
        {
            Break(
                ClientPhase.StartTls,
                ClientFault.TlsFailed,
                verify && Distrust is { } distrust ? distrust.Words : HandshakeTrouble.OfServer(e, network.First),
                e);
        }
        finally
        {
            network.EndHandshake();
        }

        return null;
    }

    public void Break(ClientPhase phase, ClientFault fault, string detail, Exception? cause = null) =>
        Fault ??= new ClientAnswer.Broken(phase, fault, detail) { Cause = cause };

    /// <summary>How long is waited now: what is left of the transaction, or of the time for its content, where that is less.</summary>
    private TimeSpan Within(TimeSpan timeout)
    {
        if (endsAt == long.MaxValue)
            return timeout;
        var end = contentAt == 0
            ? endsAt
            : After(contentAt, options.Timeouts.DataBlock + TimeSpan.FromSeconds((taken + Output.Length) / (double)minimumRate));
        var left = options.Clock.GetElapsedTime(options.Clock.GetTimestamp(), end);
        return left >= timeout ? timeout : left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1);
    }

    /// <summary>What was waited for in vain, where that was not the timeout of the command.</summary>
    private string? WhyCut(TimeSpan waited, TimeSpan whole) =>
        waited == whole ? null
        : contentAt == 0 ? Seconds("the transaction was not over within", transaction)
        : string.Create(CultureInfo.InvariantCulture, $"the server took less than {minimumRate} octets a second");

    private long After(long timestamp, TimeSpan time) => timestamp + (long)(time.TotalSeconds * options.Clock.TimestampFrequency);

    private bool IsCalledOff => Caller.IsCancellationRequested || revoked.IsCancellationRequested;

    private void ThrowIfCalledOff()
    {
        Caller.ThrowIfCancellationRequested();
        revoked.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        registration.Dispose();
        revocation.Dispose();
        Output.Release();
        await stream.DisposeAsync().ConfigureAwait(false);
        deadline.Dispose();
    }

    /// <summary>Certificates are looked at once for some time, on the same terms.</summary>
    private bool Remembers => options is { Memory: not null, VerifyCertificate: null, Proof: null or { AreAnswersKept: true } };

    private SslStreamCertificateContext ContextOf(X509Certificate2 own) => options.Memory?.ContextOf(own)
        ?? SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);

    private bool Verify(object source, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Shown = certificate?.GetRawCertData();
        var why = Remembers && certificate is X509Certificate2 shown
            ? options.Memory!.WhyNot(shown, chain?.ChainPolicy.ExtraStore ?? [], errors, options)
            : options.Proof is { } proof ? proof.WhyNot(certificate as X509Certificate2, chain, errors)
            : options.VerifyCertificate is not { } verify
                ? ServerTrust.WhyNot(certificate, chain, errors, options.ServerName, options.TrustedRoots)
            : verify(source, certificate, chain, errors) ? null
            : new ServerDistrust(CertificateFault.Other, "the server's certificate was not taken");
        // Without a name there was nothing to compare the certificate with.
        IsVerified = why is null && options.ServerName is not null;
        Distrust = why;
        return why is null;
    }

    private static string Seconds(string words, TimeSpan timeout) =>
        string.Create(CultureInfo.InvariantCulture, $"{words} {timeout.TotalSeconds:0.###} s");
}
