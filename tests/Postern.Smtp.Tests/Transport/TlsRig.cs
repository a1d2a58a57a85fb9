using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Sasl;
using Postern.Smtp.Events;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>A server with implicit TLS on loopback, its events, and clients that count what a handshake costs on the wire.</summary>
internal sealed class TlsRig : ISmtpEvents, IAsyncDisposable
{
    private readonly BlockingCollection<TlsFacts> started = [];
    private readonly BlockingCollection<string> failed = [];

    public TlsRig(TlsOptions tls, Func<SmtpListenerOptions, SmtpListenerOptions>? listener = null, Func<SmtpServerOptions, SmtpServerOptions>? change = null)
    {
        var way = new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.Implicit, Auth = AuthMode.Always };
        var options = new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [listener?.Invoke(way) ?? way],
            Policy = new TestPolicy(),
            Store = Store,
            Events = this,
            Tls = tls,
            Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret") },
            MaxConnectionsPerAddress = 1000,
            Clock = Clock,
        };
        Server = new SmtpServer(change?.Invoke(options) ?? options);
        Server.Start();
    }

    public MemoryStore Store { get; } = new();

    public ManualClock Clock { get; } = new();

    public SmtpServer Server { get; }

    public IPEndPoint Endpoint => Server.Endpoints[0].Endpoint;

    /// <summary>What the server noted of the next handshake that succeeded.</summary>
    public TlsFacts NextFacts(CancellationToken ct) => started.Take(ct);

    public string NextFailure(CancellationToken ct) => failed.Take(ct);

    public void OnTlsStarted(SessionState session) => started.Add(session.Tls!);

    public void OnTlsFailed(SessionState session, string reason) => failed.Add(reason);

    public bool HasFailures => failed.Count > 0;

    public async Task<Socket> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Endpoint, ct);
        return socket;
    }

    /// <summary>One handshake, the greeting, QUIT and the end: what was shown, and whether it was a resumption, which sends no certificate.</summary>
    public async Task<(string Serial, bool IsResumed, byte[] EndPoint)> VisitAsync(SslClientAuthenticationOptions options, CancellationToken ct)
    {
        var counted = new CountingStream(new NetworkStream(await ConnectAsync(ct), ownsSocket: true));
        await using var tls = new SslStream(counted);
        await tls.AuthenticateAsClientAsync(options, ct);
        var toHandshake = counted.Octets;
        using var shown = new X509Certificate2(tls.RemoteCertificate!);
        var endPoint = ((IDisposable?)tls.TransportContext!.GetChannelBinding(System.Security.Authentication.ExtendedProtection.ChannelBindingKind.Endpoint)) is
            System.Security.Authentication.ExtendedProtection.ChannelBinding binding ? Octets(binding) : [];
        using var reader = new StreamReader(tls);
        Assert.StartsWith("220 ", await reader.ReadLineAsync(ct));
        await tls.WriteAsync("QUIT\r\n"u8.ToArray(), ct);
        Assert.StartsWith("221 ", await reader.ReadLineAsync(ct));
        Assert.Null(await reader.ReadLineAsync(ct));
        return (shown.SerialNumber, toHandshake < shown.RawData.Length, endPoint);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Behind the fixed header and the prefix of the token that Windows asks for.</summary>
    private static byte[] Octets(System.Security.Authentication.ExtendedProtection.ChannelBinding binding)
    {
        var token = new byte[binding.Size];
        System.Runtime.InteropServices.Marshal.Copy(binding.DangerousGetHandle(), token, 0, token.Length);
        var prefix = "tls-server-end-point:"u8;
        return token[(token.AsSpan().IndexOf(prefix) + prefix.Length)..];
    }

    private sealed class CountingStream(Stream inner) : Stream
    {
        public long Octets { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            Octets += read;
            return read;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
