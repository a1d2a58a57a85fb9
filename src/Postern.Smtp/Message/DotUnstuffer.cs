using System.Buffers;

namespace Postern.Smtp.Message;

/// <summary>
/// Finds content, stuffed dots and the end in a stream of octets (RFC 5321 §4.5.2). Only CRLF.CRLF ends the data; a bare CR or LF is
/// noticed and is never a line end. Works on whatever part has arrived; the octets it could not yet judge are at most four.
/// </summary>
internal struct DotUnstuffer()
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private bool atLineStart = true;

    /// <summary>A bare CR or LF has been seen.</summary>
    public bool HasBareLineEnd { get; private set; }

    /// <summary>The end has been seen and taken.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// Takes one run of content from the start of <paramref name="input"/>: content is <c>input.Slice(skip, length)</c>, and
    /// <c>skip + length + after</c> octets are done with. All three zero: more input is needed.
    /// </summary>
    public void Next(ReadOnlySpan<byte> input, out int skip, out int length, out int after)
    {
        skip = length = after = 0;
        var i = 0;
        while (i < input.Length)
        {
            if (atLineStart && input[i] == '.')
            {
                if (i > 0)
                {
                    length = i;
                    return;
                }

                var mark = DotLine(input, ref skip, ref after);
                if (mark || IsComplete || skip == 0)
                    return;
                i = skip;
            }

            atLineStart = false;
            var next = input[i..].IndexOfAny(LineEnds);
            if (next < 0)
            {
                length = input.Length - skip;
                return;
            }

            i += next;
            if (input[i] == '\n')
            {
                HasBareLineEnd = true;
                i++;
            }
            else if (i + 1 == input.Length)
            {
                length = i - skip;
                return;
            }
            else if (input[i + 1] == '\n')
            {
                atLineStart = true;
                i += 2;
            }
            else
            {
                HasBareLineEnd = true;
                i++;
            }
        }

        length = i - skip;
    }

    /// <summary>A dot opens the line: the end, a stuffed dot, or not yet known (nothing taken, true).</summary>
    private bool DotLine(ReadOnlySpan<byte> input, ref int skip, ref int after)
    {
        if (input.Length < 2 || (input[1] == '\r' && input.Length < 3))
            return true;
        if (input[1] == '\r' && input[2] == '\n')
        {
            IsComplete = true;
            after = 3;
            return false;
        }

        skip = 1;
        return false;
    }
}
