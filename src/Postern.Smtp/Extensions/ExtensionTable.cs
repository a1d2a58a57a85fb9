using System.Collections.Immutable;

namespace Postern.Smtp.Extensions;

/// <summary>Every extension this server knows.</summary>
internal static class ExtensionTable
{
    /// <summary>In the order in which EHLO lists them.</summary>
    public static ImmutableArray<Extension> All { get; } =
    [
        Pipelining.Row,
        Size.Row,
        EightBitMime.Row,
        EnhancedStatusCodes.Row,
        Dsn.Row,
        Chunking.Row,
        BinaryMime.Row,
        SmtpUtf8.Row,
        RequireTls.Row,
        DeliverBy.Row,
        FutureRelease.Row,
        Limits.Row,
        StartTls.Row,
        Auth.Row,
        Etrn.Row,
        XClient.Row,
        XForward.Row,
    ];

    /// <summary>The keywords that a listener may do without.</summary>
    public static IEnumerable<string> Optional => All.Select(static e => e.Keyword).Where(IsOptional);

    public static bool IsOptional(string keyword) =>
        !StartTls.Row.Has(keyword) && !Auth.Row.Has(keyword) && !Etrn.Row.Has(keyword) && !XClient.Row.Has(keyword) && !XForward.Row.Has(keyword)
        && All.Any(e => e.Has(keyword));
}
