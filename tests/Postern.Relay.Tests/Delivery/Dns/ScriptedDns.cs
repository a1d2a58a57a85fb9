using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Dns;

/// <summary>A resolver on loopback, UDP and TCP on one port, that answers what the test says.</summary>
internal sealed class ScriptedDns : IAsyncDisposable
{
    private readonly Func<string, DnsType, DnsReply?> answer;
    private readonly CancellationTokenSource closing = new();
    private readonly Socket udp;
    private readonly Socket tcp;
    private readonly ConcurrentQueue<(string Name, DnsType Type, bool IsTcp)> questions = new();
    private readonly Task serving;

    /// <param name="answer">Null: silence.</param>
    public ScriptedDns(Func<string, DnsType, DnsReply?> answer)
    {
        this.answer = answer;
        (udp, tcp) = Listen(tries: 20);
        serving = Task.WhenAll(Task.Run(ServeUdpAsync), Task.Run(ServeTcpAsync));
    }

    public IPEndPoint EndPoint => (IPEndPoint)tcp.LocalEndPoint!;

    /// <summary>A port that is free for TCP may be taken for UDP.</summary>
    private static (Socket Udp, Socket Tcp) Listen(int tries)
    {
        var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            tcp.Listen();
            udp.Bind(tcp.LocalEndPoint!);
            return (udp, tcp);
        }
        catch (SocketException) when (tries > 1)
        {
            udp.Dispose();
            tcp.Dispose();
            return Listen(tries - 1);
        }
    }

    public IReadOnlyList<(string Name, DnsType Type, bool IsTcp)> Questions => [.. questions];

    /// <summary>Sent before each answer: forgeries that must not count.</summary>
    public Func<byte[], IEnumerable<byte[]>> Strays { get; set; } = static _ => [];

    /// <summary>Sent before each answer from another port.</summary>
    public Func<byte[], IEnumerable<byte[]>> Forgeries { get; set; } = static _ => [];

    public static DnsReply Mx(params (int Preference, string Exchange)[] exchangers) =>
        new(0, [.. exchangers.Select(e => ("", DnsType.Mx, (byte[])[(byte)(e.Preference >> 8), (byte)e.Preference, .. Name(e.Exchange)]))]);

    public static DnsReply A(params string[] addresses) => new(0, [.. addresses.Select(a => ("", DnsType.A, IPAddress.Parse(a).GetAddressBytes()))]);

    /// <summary>Each text is one record, in strings of 255 octets.</summary>
    public static DnsReply Txt(params string[] texts) => new(0, [.. texts.Select(static t => ("", DnsType.Txt, Strings(t)))]);

    public static DnsReply Tlsa(params (byte Usage, byte Selector, byte Matching, byte[] Data)[] records) =>
        new(0, [.. records.Select(static r => ("", DnsType.Tlsa, (byte[])[r.Usage, r.Selector, r.Matching, .. r.Data]))]);

    public static byte[] Strings(string text) => text.Length == 0 ? [0] : [.. text.Chunk(255).SelectMany(static c => (byte[])[(byte)c.Length, .. c.Select(static x => (byte)x)])];

    public static DnsReply Nothing { get; } = new(0, []);

    public static DnsReply NoSuchName { get; } = new(3, []);

    public static DnsReply ServerFailure { get; } = new(2, []);

    public static byte[] Name(string name) => [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(l => (byte[])[(byte)l.Length, .. l.Select(c => (byte)c)]), 0];

    public static byte[] Encode(ReadOnlySpan<byte> question, DnsReply reply, bool isTruncated = false)
    {
        var message = new List<byte>(question.ToArray());
        message[2] = (byte)(0x80 | (isTruncated ? 2 : 0));
        message[3] = (byte)(reply.Code | (reply.IsAuthentic ? 0x20 : 0));
        message[7] = (byte)(isTruncated ? 0 : reply.Records.Count);
        foreach (var (owner, type, data) in isTruncated ? [] : reply.Records)
        {
            // The question's name by a pointer, unless another owner is given.
            message.AddRange(owner.Length == 0 ? [0xC0, DnsMessage.HeaderLength] : Name(owner));
            message.AddRange([0, (byte)type, 0, 1, 0, 0, (byte)(reply.Ttl >> 8), (byte)reply.Ttl, (byte)(data.Length >> 8), (byte)data.Length]);
            message.AddRange(data);
        }

        return [.. message];
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        udp.Dispose();
        tcp.Dispose();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[512];
        while (true)
        {
            var received = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), closing.Token);
            var question = buffer.AsMemory(0, received.ReceivedBytes).ToArray();
            if (Answer(question, isTcp: false) is not { } reply)
                continue;
            using (var elsewhere = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            {
                foreach (var forgery in Forgeries(question))
                    await elsewhere.SendToAsync(forgery, received.RemoteEndPoint, closing.Token);
            }

            foreach (var stray in Strays(question))
                await udp.SendToAsync(stray, received.RemoteEndPoint, closing.Token);
            await udp.SendToAsync(reply.Octets ?? Encode(question, reply, reply.TruncateUdp), received.RemoteEndPoint, closing.Token);
        }
    }

    private async Task ServeTcpAsync()
    {
        while (true)
        {
            using var client = await tcp.AcceptAsync(closing.Token);
            await using var stream = new NetworkStream(client);
            var prefix = new byte[2];
            await stream.ReadExactlyAsync(prefix, closing.Token);
            var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
            await stream.ReadExactlyAsync(question, closing.Token);
            if (Answer(question, isTcp: true) is not { } reply)
                continue;
            var message = Encode(question, reply);
            await stream.WriteAsync((byte[])[(byte)(message.Length >> 8), (byte)message.Length, .. message], closing.Token);
        }
    }

    private DnsReply? Answer(byte[] question, bool isTcp)
    {
        var labels = new List<string>();
        var at = DnsMessage.HeaderLength;
        for (; question[at] > 0; at += question[at] + 1)
            labels.Add(System.Text.Encoding.ASCII.GetString(question, at + 1, question[at]));
        var name = string.Join('.', labels);
        var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at + 1));
        questions.Enqueue((name, type, isTcp));
        return answer(name, type);
    }
}
