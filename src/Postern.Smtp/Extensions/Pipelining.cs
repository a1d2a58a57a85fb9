namespace Postern.Smtp.Extensions;

/// <summary>PIPELINING (RFC 2920): several commands in one go. The session answers in order and in one write.</summary>
internal static class Pipelining
{
    public static readonly Extension Row = new("PIPELINING", static _ => "PIPELINING");
}
