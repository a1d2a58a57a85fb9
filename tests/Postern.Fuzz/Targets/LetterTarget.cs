using Postern.Commands.Sendmail;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>What programs write to sendmail's standard input: the same in any pieces, in whole lines, and every recipient in its header is an address.</summary>
internal sealed class LetterTarget : ITarget
{
    private static readonly Domain Host = Domain.Parse("mail.example.org");

    public string Name => "letter";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "To: \"A, B\" <a@example.com>, root (the (boss)), G: x@y.z, <@r,@s:t@u.v>;\nBcc: h@example.net\nSubject: x\n\nbody\r\n.\r\nno more", "From lisa Sun Nov 29\nResent-To: a@example.org\n\n..\n.x\n", ">From x\r\n\r\n\r", "no header\n", "To:\n a@example.org,\n\tb@[IPv6:::1]\n", ".\n");

    public int MaxOctets => 3_000;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var draw = Draw.From(input.Span);
        foreach (var endsAtDot in (bool[])[true, false])
        {
            var whole = await ReadAsync(input, static () => int.MaxValue, endsAtDot);
            var pieces = await ReadAsync(input, draw.Sizes(7), endsAtDot);
            Check(whole, pieces);
        }

        using var stream = new PieceStream(input, draw.Sizes(100));
        var head = await LetterHead.ReadAsync(new LetterInput(stream, endsAtDot: true), CancellationToken.None);
        var found = new List<Mailbox>();
        var isRead = head.TryReadRecipients(Host, found, out var wrong);
        BrokenException.Unless(isRead == wrong is null, "what is no address is shown");
        BrokenException.Unless(found.TrueForAll(static m => Mailbox.TryParse(m.Address, out _)), "a recipient is an address by itself");
        var signal = new Signal();
        signal.Add(found.Count);
        signal.Add(head.HasFrom ? 1 : 0);
        return signal.Value;
    }

    private static void Check(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> pieces)
    {
        BrokenException.Unless(whole.SequenceEqual(pieces), "the same message in any pieces");
        BrokenException.Unless(whole.IsEmpty || whole.EndsWith("\r\n"u8), "every line has its end");
        for (var i = 0; i < whole.Length; i++)
            BrokenException.Unless(whole[i] != '\n' || (i > 0 && whole[i - 1] == '\r'), "no LF stands alone");
    }

    private static async ValueTask<byte[]> ReadAsync(ReadOnlyMemory<byte> input, Func<int> sizes, bool endsAtDot)
    {
        using var stream = new PieceStream(input, sizes);
        var letter = new LetterInput(stream, endsAtDot);
        using var all = new MemoryStream();
        while (await letter.ReadAsync(CancellationToken.None) is { IsEmpty: false } part)
            all.Write(part.Span);
        return all.ToArray();
    }
}
