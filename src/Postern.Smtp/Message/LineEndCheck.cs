namespace Postern.Smtp.Message;

/// <summary>Notices a CR or LF that stands alone, and NUL, in content that comes in pieces: a CRLF cut in two is one line end.</summary>
internal struct LineEndCheck
{
    private bool afterCr;

    /// <summary>One has been seen.</summary>
    public bool HasBareLineEnd { get; private set; }

    /// <summary>A NUL has been seen, before anything that stood alone.</summary>
    public bool HasNul { get; private set; }

    public void Next(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty && !HasBareLineEnd)
        {
            if (afterCr)
            {
                afterCr = false;
                HasBareLineEnd = content[0] != '\n';
                content = content[1..];
                continue;
            }

            var next = HasNul ? content.IndexOfAny((byte)'\r', (byte)'\n') : content.IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            if (next < 0)
                return;
            if (content[next] == 0)
            {
                HasNul = true;
                content = content[(next + 1)..];
                continue;
            }

            afterCr = content[next] == '\r';
            HasBareLineEnd = !afterCr;
            content = content[(next + 1)..];
        }
    }

    /// <summary>The content is over: a CR at its very end stands alone.</summary>
    public void Finish() => HasBareLineEnd |= afterCr;
}

/// <summary>What becomes of a CR or LF that stands alone, and of NUL, in the content of one message.</summary>
internal enum LineEndRule
{
    /// <summary>The message is refused.</summary>
    Reject,

    /// <summary>Each CR and LF becomes CRLF, NUL is taken out.</summary>
    Normalize,

    /// <summary>Octets are octets: BODY=BINARYMIME (RFC 3030 §3).</summary>
    Keep,
}
