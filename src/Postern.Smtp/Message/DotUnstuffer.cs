namespace Postern.Smtp.Message;

/// <summary>
/// Finds content, stuffed dots and the end in a stream of octets (RFC 5321 §4.5.2). Only CRLF.CRLF ends the data; a bare CR or LF is
/// noticed and is never a line end, and so is NUL. Works on whatever part has arrived; the octets it could not yet judge are at most four.
/// </summary>
internal struct DotUnstuffer()
{
    private bool atLineStart = true;

    /// <summary>A bare CR or LF has been seen.</summary>
    public bool HasBareLineEnd { get; private set; }

    /// <summary>A NUL has been seen.</summary>
    public bool HasNul { get; private set; }

    /// <summary>The end has been seen and taken.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// Takes one run of content from the start of <paramref name="input"/>: content is <c>input.Slice(skip, length)</c>, and
    /// <c>skip + length + after</c> octets are done with. All three zero: more input is needed.
    /// </summary>
    public void Next(ReadOnlySpan<byte> input, out int skip, out int length, out int after)
    {
        skip = length = after = 0;
        if (atLineStart && !input.IsEmpty && input[0] == '.')
        {
            var isShort = input.Length < 2 || (input[1] == '\r' && input.Length < 3);
            if (isShort)
                return;
            if (input[1] == '\r' && input[2] == '\n')
            {
                IsComplete = true;
                after = 3;
                return;
            }

            skip = 1;
            atLineStart = false;
        }

        length = MeasureRun(input[skip..]);
    }

    /// <summary>The octets up to a line that opens with a dot, or up to a CR whose next octet has not come yet.</summary>
    private int MeasureRun(ReadOnlySpan<byte> input)
    {
        var i = 0;
        while (i < input.Length)
        {
            if (atLineStart && input[i] == '.')
                return i;
            atLineStart = false;
            // After the first NUL the others tell nothing new, and content made of them costs no look each. Named one by one, because a set
            // that is chosen here costs twice the time.
            var next = HasNul ? input[i..].IndexOfAny((byte)'\r', (byte)'\n') : input[i..].IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            if (next < 0)
                return input.Length;
            i += next;
            if (input[i] == 0)
            {
                HasNul = true;
                i++;
                continue;
            }

            if (input[i] == '\r' && i + 1 == input.Length)
                return i;
            atLineStart = input[i] == '\r' && input[i + 1] == '\n';
            HasBareLineEnd |= !atLineStart;
            i += atLineStart ? 2 : 1;
        }

        return i;
    }
}
