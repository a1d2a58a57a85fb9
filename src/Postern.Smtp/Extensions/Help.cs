namespace Postern.Smtp.Extensions;

/// <summary>
/// HELP (RFC 1869 §5): the verb of that name is there. Its line is the last of EHLO, so that a client that misses the last line misses
/// nothing.
/// </summary>
internal static class Help
{
    public static readonly Extension Row = new("HELP", static _ => "HELP");
}
