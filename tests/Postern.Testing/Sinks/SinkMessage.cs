using System.Text;

namespace Postern.Testing.Sinks;

/// <summary>One message a <see cref="ScriptedSink"/> took.</summary>
/// <param name="Wire">The content as it came, dots stuffed, the end mark included.</param>
/// <param name="Content">The same, dots unstuffed, without the end mark.</param>
public sealed record SinkMessage(int Connection, string MailLine, IReadOnlyList<string> RcptLines, byte[] Wire, byte[] Content, bool IsTls)
{
    /// <summary>What stands between the angle brackets of MAIL.</summary>
    public string Sender => Path(MailLine);

    public IReadOnlyList<string> Recipients => [.. RcptLines.Select(Path)];

    public string Text => Encoding.Latin1.GetString(Content);

    private static string Path(string line) => line[(line.IndexOf('<') + 1)..line.IndexOf('>')];
}
