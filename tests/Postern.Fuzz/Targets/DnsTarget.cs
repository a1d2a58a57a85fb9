using Postern.Relay.Delivery.Dns;

namespace Postern.Fuzz.Targets;

/// <summary>DNS responses: an answer or null, bounded, and no name that is more than a host name.</summary>
internal sealed class DnsTarget : ITarget
{
    private const string Question = "example.org";
    private const ushort Id = 0x1234;

    private readonly byte[] message = new byte[4096];

    public string Name => "dns";

    public IEnumerable<byte[]> Seeds =>
    [
        [1, 0, 0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1],
        [1, 1, 0xC0, 0x0C, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2, (byte)'m', (byte)'x', 0xC0, 0x0C],
        [2, 0, 0xC0, 0x0C, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xC0, 0x0C, 0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1],
        [1, 2, 0xC0, 0x0C, 0, 28, 0, 1, 0x80, 0, 0, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        [1, 1, 0xC0, 0x0C, 0, 15, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0],
        [1, 4, 0xC0, 0x0C, 0, 16, 0, 1, 0, 0, 0, 60, 0, 6, 2, (byte)'v', (byte)'=', 2, (byte)'S', (byte)'T'],
        [1, 5, 0xC0, 0x0C, 0, 52, 0, 1, 0, 0, 0, 60, 0, 5, 3, 1, 1, 0xAB, 0xCD],
        [1, 6, 0xC0, 0x0C, 0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 1, 0, 2, 0, 25, 0xC0, 0x0C],
        [1, 7, 0xC0, 0x0C, 0, 12, 0, 1, 0, 0, 0, 60, 0, 2, 0xC0, 0x0C],
        [0, 8], [255, 255],
    ];

    public int MaxOctets => 1500;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var octets = input.Span;
        Check(DnsMessage.TryRead(octets, Id, Question, DnsType.Mx), DnsType.Mx, ref signal);
        if (octets.Length < 2)
            return new(signal.Value);

        // The same octets as the answers to a question that was asked.
        var type = (octets[1] & 7) switch
        {
            0 => DnsType.A, 1 => DnsType.Mx, 2 => DnsType.Aaaa, 3 => DnsType.Cname, 4 => DnsType.Txt, 5 => DnsType.Tlsa, 6 => DnsType.Srv, _ => DnsType.Ptr,
        };
        var length = DnsMessage.WriteQuestion(message, Id, Question, type);
        message[2] = 0x80;
        message[3] = (byte)(octets[1] >> 4);
        message[7] = octets[0];
        octets[2..].CopyTo(message.AsSpan(length));
        Check(DnsMessage.TryRead(message.AsSpan(0, length + octets.Length - 2), Id, Question, type), type, ref signal);
        return new(signal.Value);
    }

    private static void Check(DnsResponse? response, DnsType type, ref Signal signal)
    {
        signal.Add(response is null);
        if (response is null)
            return;
        BrokenException.Unless(response.Records.Count <= 256, "the records are bounded");
        signal.Add(response.Code);
        signal.Add(response.IsTruncated);
        foreach (var record in response.Records)
        {
            signal.Add(record.GetType().Name.Length);
            CheckName(record.Owner);
            CheckName(record switch { DnsRecord.Mx mx => mx.Exchange, DnsRecord.Cname cname => cname.Target, DnsRecord.Ptr ptr => ptr.Target, DnsRecord.Srv srv => srv.Target, _ => string.Empty });
        }

        signal.Add(response.Answering(Question, type).Records.Count);
    }

    private static void CheckName(string name)
    {
        BrokenException.Unless(name.Length <= 255, "a name is bounded");
        foreach (var c in name)
            BrokenException.Unless(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.' or '?', "a name holds what host names hold");
    }
}
