using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Transport;

/// <summary>What becomes of replies when a client does not read them.</summary>
public sealed class SmtpTransportTests
{
    [Fact]
    public async Task After_half_a_reply_nothing_more_is_said()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await using var client = new StuckClient(takes: 7);
        await using var transport = new SmtpTransport(client, socket);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await transport.WriteAsync(StandardReply.Ok, CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await transport.FlushAsync(patience.Token));

        await transport.WriteAsync(StandardReply.IdleTooLong, CancellationToken.None);
        await transport.CloseAsync(CancellationToken.None);
        Assert.Equal("250 2.0", client.Heard);
    }

    [Fact]
    public async Task Replies_that_had_no_time_to_leave_go_out_with_the_farewell()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await using var client = new StuckClient(takes: int.MaxValue);
        await using var transport = new SmtpTransport(client, socket);
        using var ended = new CancellationTokenSource();
        await ended.CancelAsync();
        await transport.WriteAsync(StandardReply.Queued("1"), CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await transport.FlushAsync(ended.Token));

        await transport.WriteAsync(StandardReply.ShuttingDown, CancellationToken.None);
        await transport.CloseAsync(CancellationToken.None);
        Assert.StartsWith("250 2.0.0 Queued as 1\r\n421 4.3.2 ", client.Heard, StringComparison.Ordinal);
    }

    /// <summary>Takes some octets, then waits until it is given up; after that it would take more.</summary>
    private sealed class StuckClient(int takes) : MemoryStream
    {
        private bool wasGivenUp;

        public string Heard => Encoding.ASCII.GetString(ToArray());

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var taken = wasGivenUp ? buffer.Length : Math.Min(buffer.Length, takes);
            Write(buffer.Span[..taken]);
            if (taken == buffer.Length)
                return;
            wasGivenUp = true;
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }
}
