using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>An asking server: a connection to the authentication service, and the client halves of mechanisms behind it.</summary>
internal sealed class AuthPeer : IAsyncDisposable
{
    private readonly NetworkStream stream;
    private readonly StreamReader reader;
    private uint last;

    private AuthPeer(Socket socket)
    {
        stream = new NetworkStream(socket, ownsSocket: true);
        reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 1024, leaveOpen: true);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>What the handshake said, a line each.</summary>
    public List<string> Handshake { get; } = [];

    public IEnumerable<string> Mechanisms => Handshake.Where(static l => l.StartsWith("MECH\t", StringComparison.Ordinal)).Select(static l => l.Split('\t')[1]);

    /// <param name="minor">Of the version that it says it speaks.</param>
    public static async Task<AuthPeer> ConnectAsync(string path, int minor = 2)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Ct);
        var peer = new AuthPeer(socket);
        while (await peer.ReadAsync() is { } line)
        {
            peer.Handshake.Add(line);
            if (line == "DONE")
                break;
        }

        await peer.SayAsync(string.Create(CultureInfo.InvariantCulture, $"VERSION\t1\t{minor}\nCPID\t4711"));
        return peer;
    }

    /// <summary>One line; null at the end.</summary>
    public async Task<string?> ReadAsync()
    {
        try
        {
            return await reader.ReadLineAsync(Ct);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public async Task SayAsync(string lines) => await stream.WriteAsync(Encoding.UTF8.GetBytes(lines + "\n"), Ct);

    /// <summary>The line that ends a login, without its number; null where the connection ended in its place.</summary>
    /// <param name="with">Parameters of AUTH.</param>
    public async Task<string?> LogInAsync(string mechanism, SaslClientCredentials credentials, string with = "service=smtp\tsecured\trip=192.0.2.7")
    {
        using var exchange = SaslClientMechanisms.All.Single(m => m.Name == mechanism).TryStart(credentials)!;
        var id = ++last;
        var initial = (exchange.Next(challenge: null) as SaslClientStep.Response)?.Data;
        var response = initial is { } first ? $"\tresp={(first.IsEmpty ? "=" : Convert.ToBase64String(first.Span))}" : null;
        await SayAsync(string.Create(CultureInfo.InvariantCulture, $"AUTH\t{id}\t{mechanism}\t{with}{response}"));
        while (await ReadAsync() is { } line)
        {
            var fields = line.Split('\t');
            Assert.Equal(id.ToString(CultureInfo.InvariantCulture), fields[1]);
            if (fields[0] != "CONT")
            {
                Assert.True(fields[0] != "OK" || exchange.MayTrustSuccess || with.Contains("final-resp-ok", StringComparison.Ordinal), "the server has proven itself");
                return string.Join('\t', [fields[0], .. fields[2..]]);
            }

            Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(fields[2]), out var challenge));
            var answer = exchange.Next(challenge) is SaslClientStep.Response { Data: { } data } ? Convert.ToBase64String(data.Span) : null;
            var name = id.ToString(CultureInfo.InvariantCulture);
            await SayAsync(answer is null ? $"CANCEL\t{name}" : $"CONT\t{name}\t{answer}");
            if (answer is null)
                return "cancelled";
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        reader.Dispose();
        await stream.DisposeAsync();
    }
}
