using System.Buffers;
using System.Net.Sockets;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// Sends events to the journal. What a datagram does not hold goes in a sealed file in memory whose descriptor is sent
/// (<see cref="SealedMemory"/>). A datagram that was taken is in the journal's queue, which outlives the journal's own restart.
/// </summary>
internal sealed class JournalChannel(Socket socket) : LogChannel
{
    private readonly ArrayBufferWriter<byte> message = new();

    public override TimeSpan Settling => TimeSpan.Zero;

    /// <summary>Who is gone is found out by sending.</summary>
    public override bool IsBroken => false;

    public override async ValueTask SendAsync(IReadOnlyList<LogLine> lines, CancellationToken ct)
    {
        foreach (var line in lines)
        {
            message.ResetWrittenCount();
            JournalMessage.Write(message, line);
            try
            {
                await socket.SendAsync(message.WrittenMemory, ct);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
            {
                await SealedMemory.SendAsync(socket, message.WrittenMemory, ct);
            }
        }
    }

    public override ValueTask EndAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
