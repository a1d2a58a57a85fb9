using System.Collections.Immutable;
using Postern.Relay.Delivery.Places;

namespace Postern.Relay.Delivery.Via;

/// <summary>Every way to hand mail on. Adding one is a file and a line here.</summary>
internal static class ViaSchemes
{
    public static ImmutableArray<ViaScheme> All { get; } =
    [
        new ViaScheme.OfServer("smtp", ServerVia.SmtpForm, ServerVia.ReadSmtp),
        new ViaScheme.OfServer("smtps", ServerVia.SmtpsForm, ServerVia.ReadSmtps),
        new ViaScheme.OfServer("smtp+mx", ServerVia.MxForm, ServerVia.ReadMx),
        new ViaScheme.OfServer("smtp+srv", ServerVia.SrvForm, ServerVia.ReadSrv),
        new ViaScheme.OfServer("smtps+srv", ServerVia.SecureSrvForm, ServerVia.ReadSecureSrv),
        new ViaScheme.OfServer("lmtp", LmtpVia.Form, LmtpVia.Read),
        new ViaScheme.OfPlace("maildir", "maildir:/path/{user}", MaildirPlace.Read),
        new ViaScheme.OfPlace("pipe", "pipe:/command argument…", PipePlace.Read),
        new ViaScheme.OfPlace("discard", "discard:", DiscardPlace.Read),
        new ViaScheme.OfPlace("error", "error:550 5.1.1 text", ErrorPlace.Read),
    ];

    /// <summary>All forms, for who wrote none of them.</summary>
    public static string Expected { get; } = $"mx, {string.Join(", ", All.Select(static s => s.Form))}";

    /// <summary>By the word before the first colon; null for none of them.</summary>
    public static ViaScheme? Of(string via)
    {
        var colon = via.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return null;
        foreach (var scheme in All)
        {
            if (via.AsSpan(0, colon).Equals(scheme.Word, StringComparison.OrdinalIgnoreCase))
                return scheme;
        }

        return null;
    }
}
