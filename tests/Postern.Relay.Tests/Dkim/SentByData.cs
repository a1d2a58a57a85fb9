namespace Postern.Relay.Tests.Dkim;

/// <summary>Content as a next hop has it that took it by DATA, the dots taken out again.</summary>
internal static class SentByData
{
    public static string Of(string content)
    {
        var lines = content.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Replace("\n", "\r\n", StringComparison.Ordinal);
        return lines.Length == 0 || lines.EndsWith("\r\n", StringComparison.Ordinal) ? lines : $"{lines}\r\n";
    }
}
