using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Dns;

public sealed class DnsMessageTests
{
    private const ushort Id = 0x1234;

    private static byte[] Question(string name = "example.org", DnsType type = DnsType.Mx)
    {
        var message = new byte[512];
        return message[..DnsMessage.WriteQuestion(message, Id, name, type)];
    }

    private static DnsResponse? Read(byte[] message, string name = "example.org") => DnsMessage.TryRead(message, Id, name, DnsType.Mx);

    private static byte[] WithRecord(byte[] owner, byte[] data)
    {
        var message = ScriptedDns.Encode(Question(), new DnsReply(0, []));
        message[7] = 1;
        return [.. message, .. owner, 0, 15, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length, .. data];
    }

    [Fact]
    public void An_answer_with_compressed_names_is_read()
    {
        // The exchange is "mx" and a pointer to the question's name.
        var response = Read(WithRecord([0xC0, 12], [0, 10, 2, (byte)'m', (byte)'X', 0xC0, 12]));
        Assert.Equal(new DnsRecord.Mx("example.org", TimeSpan.FromSeconds(60), 10, "mx.example.org"), Assert.Single(response!.Records));
    }

    [Fact]
    public void A_pointer_to_itself_or_ahead_makes_the_message_unreadable()
    {
        var at = Question().Length;
        Assert.Null(Read(WithRecord([0xC0, (byte)at], [0, 10, 0])));
        Assert.Null(Read(WithRecord([0xC0, (byte)(at + 2)], [0, 10, 0])));
        Assert.Null(Read(WithRecord([1, (byte)'a', 0xC0, (byte)at], [0, 10, 0])));
        Assert.Null(Read(WithRecord([0xFF, 0xFF], [0, 10, 0])));
    }

    [Theory]
    [InlineData(new byte[] { 0, 10 })]
    [InlineData(new byte[] { 0, 10, 5, 97 })]
    [InlineData(new byte[] { 0, 10, 0x80, 0 })]
    [InlineData(new byte[] { 0, 10, 1, 97, 0, 0 })]
    [InlineData(new byte[] { })]
    public void Data_that_does_not_fill_its_length_makes_the_message_unreadable(byte[] data) =>
        Assert.Null(Read(WithRecord([0xC0, 12], data)));

    [Fact]
    public void A_name_that_is_too_long_is_neither_asked_for_nor_read()
    {
        var label = new string('a', 63);
        Assert.Empty(Question($"{label}.{label}.{label}.{label}.{label}"));
        Assert.Empty(Question(new string('a', 64) + ".test"));
        Assert.Empty(Question("a..test"));
        byte[] name = [.. Enumerable.Repeat((byte[])[63, .. label.Select(c => (byte)c)], 5).SelectMany(l => l), 0];
        Assert.Null(Read(WithRecord(name, [0, 10, 0])));
    }

    [Fact]
    public void Any_damage_to_an_answer_is_survived()
    {
        var random = new Random(7);
        var answer = ScriptedDns.Encode(Question(), ScriptedDns.Mx((10, "mx1.example.org"), (20, "mx2.example.org"), (0, "")));
        for (var i = 0; i < 100_000; i++)
        {
            var damaged = answer.AsSpan(0, random.Next(8) == 0 ? random.Next(answer.Length + 1) : answer.Length).ToArray();
            for (var n = random.Next(1, 6); n > 0 && damaged.Length > 0; n--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var response = Read(damaged);
            if (response is not null)
                Assert.InRange(response.Records.Count, 0, 256);
        }
    }

    [Fact]
    public void Resolvers_are_read_from_resolv_conf()
    {
        Assert.Equal(["192.0.2.53:53", "[2001:db8::53]:53"], ResolvConf.Parse(["# comment", "search test", "nameserver 192.0.2.53", "nameserver\t2001:db8::53 ", "nameserver nonsense"]).Select(e => e.ToString()));
        Assert.Equal("127.0.0.1:53", ResolvConf.Parse([]).Single().ToString());
    }
}
