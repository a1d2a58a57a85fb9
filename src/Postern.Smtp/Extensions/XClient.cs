using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>XCLIENT, to the peers that may use it.</summary>
internal static class XClient
{
    public static readonly Extension Row = new(
        "XCLIENT",
        static offer => offer.Trust.HasFlag(PeerTrust.XClient) ? "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" : null);
}
