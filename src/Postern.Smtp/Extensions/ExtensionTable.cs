using System.Collections.Immutable;

namespace Postern.Smtp.Extensions;

/// <summary>Every extension this server knows.</summary>
internal static class ExtensionTable
{
    /// <summary>
    /// In the order in which EHLO lists them. Some clients look for <c>250-STARTTLS</c> and <c>250-AUTH</c> with a hyphen, others read into
    /// a small buffer: what a client cannot do without comes first, and last comes one that nobody misses.
    /// </summary>
    public static ImmutableArray<Extension> All { get; } =
    [
        StartTls.Row,
        Auth.Row,
        Size.Row,
        EightBitMime.Row,
        Pipelining.Row,
        EnhancedStatusCodes.Row,
        SmtpUtf8.Row,
        Dsn.Row,
        Chunking.Row,
        BinaryMime.Row,
        RequireTls.Row,
        DeliverBy.Row,
        FutureRelease.Row,
        MtPriority.Row,
        Limits.Row,
        Etrn.Row,
        XClient.Row,
        XForward.Row,
        XVerp.Row,
        Help.Row,
    ];

    /// <summary>One row for each keyword, also where two extensions bring values to it.</summary>
    public static ImmutableArray<Parameter<T>> Merge<T>(IEnumerable<Parameter<T>> parameters) =>
        [.. parameters.GroupBy(static p => p.Keyword).Select(static alike => alike.Aggregate(static (one, other) => one.Or(other)))];

    /// <summary>The keywords that a listener may do without.</summary>
    public static IEnumerable<string> Optional => All.Select(static e => e.Keyword).Where(IsOptional);

    public static bool IsOptional(string keyword) =>
        !StartTls.Row.Has(keyword)
        && !Auth.Row.Has(keyword)
        && !Etrn.Row.Has(keyword)
        && !XClient.Row.Has(keyword)
        && !XForward.Row.Has(keyword)
        && !XVerp.Row.Has(keyword)
        && All.Any(e => e.Has(keyword));
}
