namespace Postern.Smtp.Extensions;

/// <summary>ETRN (RFC 1985), where there is something to start queues.</summary>
internal static class Etrn
{
    public static readonly Extension Row = new("ETRN", static offer => offer.Server.QueueStarter is null ? null : "ETRN");
}
