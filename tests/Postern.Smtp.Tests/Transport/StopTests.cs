using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Listeners;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Transport;

/// <summary>A stop makes no second copies: who has sent a message whole is told what became of it.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData("DATA\r\n", "hello\r\n.\r\n")]
    [InlineData("BDAT 7\r\nhello\r\n", "BDAT 0 LAST\r\n")]
    [InlineData("", "BDAT 7 LAST\r\nhello\r\n")]
    public async Task Twenty_messages_behind_their_end_at_a_stop_are_answered_and_remain_twenty(string begin, string end)
    {
        const int Clients = 20;
        await using var server = TestServer.Start();
        var (committing, gate) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        server.Store.BeforeCommit = () =>
        {
            Interlocked.Increment(ref committing);
            return gate.Task;
        };
        var clients = new List<RawClient>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                var client = await server.HelloAsync();
                clients.Add(client);
                await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
                await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
                if (begin.Length > 0)
                {
                    await client.SendAsync(begin, server.Ct);
                    Assert.Matches("^(354|250) ", await client.ReadLineAsync(server.Ct));
                }

                await client.SendAsync(end, server.Ct);
            }

            await server.UntilAsync(() => Volatile.Read(ref committing) == Clients);
            var stopping = server.Server.StopAsync(server.Ct);
            gate.SetResult();

            foreach (var client in clients)
            {
                Assert.StartsWith("250 2.0.0 Queued as ", await client.ReadLineAsync(server.Ct));
                Assert.StartsWith("421 4.3.2 ", await client.ReadLineAsync(server.Ct));
            }

            await stopping;
        }
        finally
        {
            foreach (var client in clients)
                await client.DisposeAsync();
        }

        Assert.Equal(Clients, server.Store.Messages.Count);
    }

    [Fact]
    public async Task A_message_between_its_chunks_at_a_stop_may_be_finished()
    {
        await using var server = TestServer.Start();
        await using var client = await server.HelloAsync();
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
        await client.SendAsync("BDAT 7\r\nhello\r\n", server.Ct);
        Assert.StartsWith("250 ", await client.ReadLineAsync(server.Ct));

        var stopping = server.Server.StopAsync(server.Ct);

        Assert.StartsWith("250 2.0.0 Queued as ", await client.SayAsync("BDAT 0 LAST", server.Ct));
        Assert.StartsWith("421 4.3.2 ", await client.ReadLineAsync(server.Ct));
        await stopping;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_does_not_cut_off_a_250_on_its_way_and_a_second_one_does(bool isSecond)
    {
        await using var server = TestServer.Start();
        await using var stream = new SlowReader();
        var listener = new SmtpListenerOptions { Name = "handed-over", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Off };
        var serving = server.Server.ServeAsync(stream, new IPEndPoint(IPAddress.Loopback, 1), listener, server.Ct);
        await stream.SayAsync("EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\n");
        await stream.SayAsync("DATA\r\n");
        await stream.WaitForAsync("354 ", server.Ct);
        stream.Takes(nothing: true);
        await stream.SayAsync("hello\r\n.\r\n");
        await stream.StuckAsync(server.Ct);

        using var now = new CancellationTokenSource();
        var stopping = server.Server.StopAsync(now.Token);
        if (isSecond)
            await now.CancelAsync();
        else
            stream.Takes(nothing: false);
        await serving;
        await stopping;

        Assert.Equal(!isSecond, stream.Text.Contains("\r\n250 2.0.0 Queued as 1\r\n421 4.3.2 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, true)]
    [InlineData(SocketError.NoBufferSpaceAvailable, true)]
    [InlineData(SocketError.SocketError, true)]
    [InlineData(SocketError.ConnectionAborted, false)]
    [InlineData(SocketError.ConnectionReset, false)]
    [InlineData(SocketError.OperationAborted, false)]
    public void A_listener_waits_where_the_machine_runs_short_and_only_there(SocketError error, bool isShortage) =>
        Assert.Equal(isShortage, Acceptor.ShortageOf(new SocketException((int)error)) is not null);

    /// <summary>A client that takes replies when the test lets it.</summary>
    private sealed class SlowReader : Stream
    {
        private readonly Pipe said = new();
        private readonly StringBuilder text = new();
        private readonly TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SlowReader() => gate.SetResult();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public string Text
        {
            get
            {
                lock (text)
                    return text.ToString();
            }
        }

        public void Takes(bool nothing)
        {
            if (nothing)
                gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            else
                gate.SetResult();
        }

        public Task StuckAsync(CancellationToken ct) => stuck.Task.WaitAsync(ct);

        public async Task SayAsync(string octets) => await said.Writer.WriteAsync(Encoding.ASCII.GetBytes(octets));

        public async Task WaitForAsync(string words, CancellationToken ct)
        {
            while (!Text.Contains(words, StringComparison.Ordinal))
            {
                ct.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => said.Reader.AsStream(leaveOpen: true).ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!gate.Task.IsCompleted)
                stuck.TrySetResult();
            await gate.Task.WaitAsync(cancellationToken);
            lock (text)
                text.Append(Encoding.ASCII.GetString(buffer.Span));
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
