using System.Text;
using Postern.Smtp.Transport;

namespace Postern.Fuzz.Models;

/// <summary>
/// The client's side of a dialogue, from what it said and what it heard, without a look at the server: one reply a command, in order, and
/// who reads next follows from the reply.
/// </summary>
internal sealed class ClientModel(DialogueRules rules, ReadOnlyMemory<byte> said, ReadOnlyMemory<byte> heard)
{
    private readonly ReplyWalk replies = new(heard);
    private Signal behaviour = new();
    private readonly List<byte> chunks = [];
    private int at;
    private int recipients;
    private bool hasSender;
    private bool isBinary;
    private bool isOver;

    public ulong Behaviour => behaviour.Value;

    /// <summary>Hashes of the messages that were acknowledged.</summary>
    public List<ulong> Stored { get; } = [];

    /// <summary>What was said in those messages, line ends mended where the server mends them.</summary>
    public List<byte[]> Contents { get; } = [];

    /// <summary>Told of every reply code.</summary>
    public Action<int>? OnReply { get; init; }

    public void Check()
    {
        BrokenException.Unless(Next() is 220 or 421 or 554, "a session begins with a greeting");
        while (!isOver)
        {
            var start = at;
            var outcome = LineModel.Take(said.Span, rules.LineOctets, rules.Mends, ref at, out var line);
            if (outcome == LineOutcome.Closed)
                break;
            if (outcome == LineOutcome.Line && ChunkModel.TryRead(line, out var chunk))
            {
                Send(chunk);
                continue;
            }

            var code = Next();
            isOver |= outcome == LineOutcome.BadOctet;
            if (outcome == LineOutcome.Line)
                Follow(code, line);
            else
                Skip(code, said.Span[start..]);
            Leave(code, line);
        }

        BrokenException.Unless(replies.IsAtEnd, $"no reply that nobody asked for: {Encoding.Latin1.GetString(replies.Rest)}");
    }

    /// <summary>A command that is too long leaves octets behind it that nobody can tell from commands, where it was to bring content.</summary>
    private void Skip(int code, ReadOnlySpan<byte> line)
    {
        BrokenException.Unless(code is 500 or 421, $"what is no line is refused: {code}");
        var start = line[..Math.Min(5, line.Length)];
        isOver |= Ascii.EqualsIgnoreCase(start, "BDAT "u8) || Ascii.EqualsIgnoreCase(start, "BDAT\t"u8) || (replies.IsAtEnd && (Is(start, "BDAT") || Is(start, "DATA")));
    }

    /// <summary>What the reply to a command line makes of the lines behind it.</summary>
    private void Follow(int code, ReadOnlySpan<byte> line)
    {
        behaviour.Add(line.Length > 0 ? line[0] & 0x5F : 0);
        switch (code)
        {
            case 220 when Is(line, "XCLIENT"):
                EndTransaction();
                break;
            case 220:
                BrokenException.Unless(Is(line, "STARTTLS"), "only STARTTLS is answered 220");
                replies.SkipRest(); // what follows is TLS
                isOver = true;
                break;
            case 334:
                BrokenException.Unless(Is(line, "AUTH"), "only AUTH is answered 334");
                Authenticate();
                break;
            case 354:
                BrokenException.Unless(Is(line, "DATA"), "only DATA is answered 354");
                Send();
                break;
            case 250:
                Count(line);
                break;
            case 235:
                BrokenException.Unless(Is(line, "AUTH"), "only AUTH is answered 235");
                break;
            case 221:
                BrokenException.Unless(Is(line, "QUIT"), "only QUIT is answered 221");
                break;
        }
    }

    private void Authenticate()
    {
        for (var code = 334; code == 334;)
        {
            var outcome = LineModel.Take(said.Span, rules.LineOctets, rules.Mends, ref at, out _);
            if (outcome == LineOutcome.Closed)
            {
                isOver = true;
                return;
            }

            code = Next();
            isOver |= outcome == LineOutcome.BadOctet;
            BrokenException.Unless(code is 334 or 235 or 421 or 432 or 454 or 500 or 501 or 534 or 535, $"a SASL response is answered as such: {code}");
            Leave(code, line: default);
        }
    }

    private void Send()
    {
        var content = ContentModel.Read(said.Span[at..]);
        if (content.End < 0)
        {
            isOver = true;
            return;
        }

        at += content.End;
        Conclude(content.Octets, Next());
    }

    /// <summary>What MAIL, RCPT and those that end a transaction mean for what follows, once they are answered 250.</summary>
    private void Count(ReadOnlySpan<byte> line)
    {
        if (Is(line, "RCPT"))
        {
            recipients++;
            return;
        }

        var isMail = Is(line, "MAIL");
        if (!isMail && !Is(line, "RSET") && !Is(line, "EHLO") && !Is(line, "HELO") && !Is(line, "LHLO"))
            return;
        EndTransaction();
        hasSender = isMail;
        isBinary = isMail && Encoding.Latin1.GetString(line).Contains("BODY=BINARYMIME", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A chunk follows its command at once, and is read before any reply, also where it is refused.</summary>
    private void Send(ChunkModel chunk)
    {
        var isWhole = chunk.Octets >= 0 && chunk.Octets <= said.Length - at;
        if (!isWhole && chunk.Octets >= 0 && replies.IsAtEnd)
        {
            isOver = true;
            return;
        }

        var code = Next();
        behaviour.Add(chunk.IsLast);
        isOver |= code == 421 || !isWhole;
        if (!isWhole)
        {
            BrokenException.Unless(code is 421 or >= 500, $"a chunk that cannot be read is refused: {code}");
            while (!replies.IsAtEnd)
                Next();
            return;
        }

        if (code == 250)
        {
            BrokenException.Unless(hasSender, "a chunk is taken inside a transaction");
            chunks.AddRange(said.Span.Slice(at, (int)chunk.Octets));
        }

        at += (int)chunk.Octets;
        if (chunk.IsLast && hasSender)
            Conclude([.. chunks], code, isChunk: true);
    }

    /// <summary>The end of a message: what its first reply means, and the replies to the other recipients of LMTP.</summary>
    private void Conclude(byte[] content, int code, bool isChunk = false)
    {
        var isBare = !isBinary && (ContentModel.IsBare(content) || content.Contains((byte)0));
        var kept = isBare && rules.Mends ? ContentModel.Mend([.. content.Where(static c => c != 0)]) : content;
        var taken = isBare && rules.Mends ? content.Count(static c => c == 0) : 0;
        var isAllowed = (!isBare || rules.Mends) && kept.Length + taken <= rules.ContentOctets;
        BrokenException.Unless(code == 250 ? isAllowed : !isAllowed || isChunk || rules.StoreDecides, $"a message is taken exactly when it may be: {code}");
        if (code == 250)
        {
            var hash = new Signal();
            hash.Add(kept);
            Stored.Add(hash.Value);
            Contents.Add(kept);
        }

        for (var more = rules.IsLmtp ? recipients - 1 : 0; more > 0 && !(code == 421 && replies.IsAtEnd); more--)
            BrokenException.Unless(Next() == code, "every recipient of one message has the same answer");
        isOver |= code == 421; // refused content counts, and may be one refusal too many
        EndTransaction();
    }

    private void EndTransaction()
    {
        (hasSender, isBinary, recipients) = (false, false, 0);
        chunks.Clear();
    }

    /// <summary>The replies that may be the last although the client has more to say.</summary>
    private void Leave(int code, ReadOnlySpan<byte> line)
    {
        isOver |= code is 221 or 421;
        if (isOver || !replies.IsAtEnd)
            return;
        var isLast = Is(line, "DATA") || (code == 554 && Is(line, "STARTTLS")) || replies.Text.IndexOf("This is an SMTP server"u8) >= 0;
        isOver = isLast && code >= 400;
    }

    private int Next()
    {
        var code = replies.Next();
        BrokenException.Unless(code != 0, $"every command is answered: nothing for octet {at} of {said.Length}");
        behaviour.Add(code);
        OnReply?.Invoke(code);
        return code;
    }

    private static bool Is(ReadOnlySpan<byte> line, string verb) =>
        line.Length >= verb.Length && Ascii.EqualsIgnoreCase(line[..verb.Length], verb) && (line.Length == verb.Length || line[verb.Length] is (byte)' ' or (byte)'\t');
}
