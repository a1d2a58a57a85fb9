using Postern.Smtp.Replies;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>What a hostile server says to our client: bounded replies or a fault, the same in any pieces.</summary>
internal sealed class ReplyTarget : ITarget
{
    private static readonly ReplyLimits Small = new(LineOctets: 64, Lines: 4, TotalOctets: 150);

    public string Name => "reply";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "220 mail.example.org ESMTP\r\n", "250-a\r\n250-SIZE 1\r\n250 AUTH PLAIN\r\n", "550 5.1.1 no\r\n", "250-a\r\n251 b\r\n", "250\r\n", "999 x\r\n", "250-a\n250 b\n", "2.0\r\n", "354 go\r\n250 2.0.0 ok\r\n");

    public int MaxOctets => 600;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var draw = Draw.From(input.Span);
        var limits = draw.OneIn(2) ? Small : ReplyLimits.Default;
        var whole = await ReadAsync(input, draw, largest: 4096, limits);
        var pieces = await ReadAsync(input, draw, largest: 1 + draw.Below(20), limits);
        BrokenException.Unless(whole == pieces, "the same replies in any pieces");
        return whole;
    }

    private static async ValueTask<ulong> ReadAsync(ReadOnlyMemory<byte> input, Draw draw, int largest, ReplyLimits limits)
    {
        var signal = new Signal();
        var reader = new ReplyReader(new PieceStream(input, draw.Sizes(largest)), limits);
        for (var count = 0; ; count++)
        {
            BrokenException.Unless(count <= input.Length / 3, "the replies end");
            var read = await reader.ReadAsync(CancellationToken.None);
            signal.Add((int)read.Fault);
            if (read.Reply is not { } reply)
                return signal.Value;
            BrokenException.Unless(reply.Code is >= 200 and <= 599, "a reply has a code");
            BrokenException.Unless(reply.Lines.Count <= limits.Lines, "a reply has no more lines than allowed");
            foreach (var line in reply.Lines)
                BrokenException.Unless(line.Length <= limits.LineOctets && !line.AsSpan().ContainsAnyExceptInRange(' ', '~'), "a line of a reply is bounded and printable");
            signal.Add(reply.Code / 10);
            signal.Add(reply.Status is not null);
            signal.AddSize(reply.Lines.Count);
        }
    }
}
