using System.Net.Sockets;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// The journal of systemd on this machine, by its own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram an event, with fields.
/// </summary>
/// <param name="Socket">Where the journal listens.</param>
public sealed record JournalTarget(string Socket = JournalTarget.UsualSocket) : LogTarget
{
    public const string UsualSocket = "/run/systemd/journal/socket";

    /// <summary>Its word in the log.</summary>
    internal const string Word = "journal";

    internal override string Name => Word;

    public override string ToString() => $"the journal at {Socket}";

    internal override async ValueTask<LogChannel> OpenAsync(CancellationToken ct)
    {
        var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), ct);
            return new JournalChannel(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"it cannot be connected to: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
