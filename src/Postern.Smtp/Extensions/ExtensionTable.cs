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
        StartTls.Row,
        Auth.Row,
    ];
}
