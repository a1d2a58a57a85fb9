using System.Text;

namespace Postern.Smtp.Tests.Session;

/// <summary>
/// What RFC 5321 permits as the answer to each line a client says, from the lines and the answers alone: the position in the dialogue, and who
/// reads next. For a listener without TLS that offers AUTH, with the test policy.
/// </summary>
internal sealed class PhaseModel
{
    private const string AnyReply = "*";

    private enum Position
    {
        Greeted,
        Ready,
        HasSender,
        HasRecipient,
    }

    private Position position;
    private bool isExtended;
    private bool isLoggedIn;
    private bool inContent;
    private int responses;

    /// <summary>The server may have closed: what is said from here on need not be answered.</summary>
    public bool MayBeOver { get; private set; }

    /// <summary>The server must have closed.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The codes permitted for this line, divided by spaces; empty when it is content and gets no reply of its own.</summary>
    public string Permitted(string line)
    {
        if (inContent)
            return line == "." ? "250 554" : string.Empty;
        if (responses > 0)
            return IsNoLine(line) ? "500" : "334 235 535 501";
        return line.Split(' ')[0].ToUpperInvariant() switch
        {
            "EHLO" or "HELO" => line.Length > 5 ? "250" : "501",
            "MAIL" => position != Position.Ready ? "503" : line switch
            {
                "MAIL FROM:<" => "501",
                "MAIL FROM:<refused@example.org>" => "550",
                _ => line.EndsWith('>') || isExtended ? "250" : "555",
            },
            "RCPT" => position < Position.HasSender ? "503" : line switch
            {
                "RCPT TO:<" => "501",
                "RCPT TO:<full@accepted.example>" => "452",
                _ => line.EndsWith("@accepted.example>", StringComparison.Ordinal) || isLoggedIn ? "250" : "530",
            },
            "DATA" => position switch { Position.HasRecipient => "354", Position.HasSender => "554", _ => "503" },
            "AUTH" => position != Position.Ready || isLoggedIn ? "503" : line switch
            {
                "AUTH LOGIN" => "334",
                "AUTH PLAIN AGFsaWNlAHNlY3JldA==" => "235",
                "AUTH PLAIN AGFsaWNlAHdyb25n" => "535",
                "AUTH X" => "504",
                _ => "501",
            },
            "STARTTLS" => position <= Position.Ready ? "502 554" : "503 554",
            "RSET" or "NOOP" => line.Length > 100 ? "500" : "250",
            "HELP" => "214",
            "VRFY" => AnyReply,
            "QUIT" => "221",
            _ => "500",
        };
    }

    /// <summary>Goes where this answer leads.</summary>
    public void Follow(string line, int code)
    {
        if (inContent)
        {
            inContent = false;
            position = Position.Ready;
            return;
        }

        if (responses > 0)
        {
            responses = code == 334 ? responses + 1 : 0;
            isLoggedIn |= code == 235;
            IsOver = IsNoLine(line);
            return;
        }

        switch (line.Split(' ')[0].ToUpperInvariant())
        {
            case "EHLO" or "HELO" when code == 250:
                (position, isExtended) = (Position.Ready, line[0] is 'E' or 'e');
                break;
            case "MAIL" when code == 250:
                position = Position.HasSender;
                break;
            case "RCPT" when code == 250:
                position = Position.HasRecipient;
                break;
            case "RSET" when position != Position.Greeted && code == 250:
                position = Position.Ready;
                break;
            case "AUTH":
                isLoggedIn |= code == 235;
                responses = code == 334 ? 1 : 0;
                break;
            case "DATA":
                inContent = code == 354;
                break;
        }

        IsOver = code == 221 || (code == 554 && line == "STARTTLS") || IsNoLine(line);
        MayBeOver = IsOver || (line == "DATA" && code != 354);
    }

    /// <summary>A bare CR or a NUL: refused, and the end.</summary>
    private static bool IsNoLine(string line) => line.AsSpan().ContainsAny('\r', '\0');

    public static byte[] Encode(IEnumerable<string> lines) => Encoding.Latin1.GetBytes(string.Concat(lines.Select(static l => l + "\r\n")));
}
