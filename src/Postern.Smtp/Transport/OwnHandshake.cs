using System.ComponentModel;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Transport;

/// <summary>
/// A TLS connection of this process with itself, to find out what this machine can do. It is in memory: no port is opened, and a machine
/// that is short of files changes nothing.
/// </summary>
internal sealed class OwnHandshake : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private OwnHandshake(SslStream client, SslStream server) => (Client, Server) = (client, server);

    public SslStream Client { get; }

    public SslStream Server { get; }

    /// <summary>Null when either side fails. The client takes whatever certificate it is shown.</summary>
    /// <param name="versions">Of the client.</param>
    /// <param name="suites">Of the client; null for what the runtime takes.</param>
    public static async Task<OwnHandshake?> TryAsync(
        SslServerAuthenticationOptions server, SslProtocols versions = SslProtocols.None, IReadOnlyList<TlsCipherSuite>? suites = null)
    {
        var client = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = versions,
            CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        };
        if (suites is not null && !OperatingSystem.IsWindows())
            client.CipherSuitesPolicy = new CipherSuitesPolicy(suites);
        using var late = new CancellationTokenSource(Patience);
        var (near, far) = End.Pair();
#pragma warning disable CA5359 // it is our own
        var sides = new OwnHandshake(new SslStream(near, leaveInnerStreamOpen: false, static (_, _, _, _) => true), new SslStream(far));
#pragma warning restore CA5359
        bool[] succeeded = await Task.WhenAll(
            SucceedsAsync(near, () => sides.Client.AuthenticateAsClientAsync(client, late.Token)),
            SucceedsAsync(far, () => sides.Server.AuthenticateAsServerAsync(server, late.Token))).ConfigureAwait(false);
        if (Array.TrueForAll(succeeded, static side => side))
            return sides;
        await sides.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().ConfigureAwait(false);
        await Server.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A side that fails leaves, so that the other does not wait for it.</summary>
    private static async Task<bool> SucceedsAsync(End end, Func<Task> handshake)
    {
        try
        {
            await handshake().ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
            when (e is AuthenticationException or IOException or OperationCanceledException or Win32Exception or CryptographicException
                or NotSupportedException or InvalidOperationException or ArgumentException)
        {
            await end.DisposeAsync().ConfigureAwait(false);
            return false;
        }
    }

    /// <summary>One end of a connection in memory.</summary>
    private sealed class End(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public static (End Near, End Far) Pair()
        {
            // Without a threshold: neither side ever waits for the other to read.
            var (there, back) = (new Pipe(new PipeOptions(pauseWriterThreshold: 0)), new Pipe(new PipeOptions(pauseWriterThreshold: 0)));
            return (new End(back.Reader.AsStream(), there.Writer.AsStream()), new End(there.Reader.AsStream(), back.Writer.AsStream()));
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer, offset, count);

        public override void Flush() => output.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                output.Dispose();
                input.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
