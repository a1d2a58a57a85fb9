using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>XFORWARD, to the peers that may use it.</summary>
internal static class XForward
{
    public static readonly Extension Row = new(
        "XFORWARD", static offer => offer.Trust.HasFlag(PeerTrust.XForward) ? "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" : null);
}
