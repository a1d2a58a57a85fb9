using Postern.Fuzz.Models;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Lines through the transport, in pieces of any size: the same lines as octet by octet, and what is no line is called so.</summary>
internal sealed class LineTarget : ITarget
{
    public string Name => "line";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("NOOP\r\nQUIT\r\n", "a\rb\r\n", "a\nb\r\n", "a\0b\r\n", "\r\n\r\n", "a\r");

    public int MaxOctets => 400;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var draw = Draw.From(input.Span);
        var limit = 1 + draw.Below(draw.OneIn(2) ? 16 : 600);
        var takesLf = draw.OneIn(2);
        BrokenException.Unless(Agrees(input.Span, limit, takesLf), "LineReader finds at once what the model finds");
        await using var transport = new SmtpTransport(new PieceStream(input, draw.Sizes(1 + draw.Below(40)))) { TakesLf = takesLf };
        for (var at = 0; ;)
        {
            var before = at;
            var (outcome, line) = await transport.ReadLineAsync(limit, idle: false, CancellationToken.None);
            BrokenException.Unless(Matches(input.Span, limit, takesLf, ref at, outcome, line.Span), $"the same line in any pieces: {outcome} at {before}");
            signal.Add((int)outcome);
            if (outcome is not (LineOutcome.Line or LineOutcome.TooLong))
                return signal.Value;
            if (outcome == LineOutcome.TooLong && !await transport.SkipLineAsync(input.Length, CancellationToken.None))
                return signal.Value;
        }
    }

    private static bool Matches(ReadOnlySpan<byte> input, int limit, bool takesLf, ref int at, LineOutcome outcome, ReadOnlySpan<byte> line) =>
        LineModel.Take(input, limit, takesLf, ref at, out var expected) == outcome && expected.SequenceEqual(line);

    private static bool Agrees(ReadOnlySpan<byte> input, int limit, bool takesLf)
    {
        var found = LineReader.TryFind(input, limit, takesLf, out var length, out var end);
        var at = 0;
        var expected = LineModel.Take(input, limit, takesLf, ref at, out var line);
        return (found == LineOutcome.NeedMore ? LineOutcome.Closed : found) == expected && (found != LineOutcome.Line || (length == line.Length && length + end == at));
    }
}
