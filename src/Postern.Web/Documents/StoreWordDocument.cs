using System.Collections.Immutable;
using Postern.Relay.Accounts.Verifiers;

namespace Postern.Web.Documents;

/// <summary>What one store says of a user.</summary>
internal sealed record StoreWordDocument(string Store, string Says)
{
    /// <summary>How long the answer took; null where it was not asked.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>The answer was there already.</summary>
    public bool FromMemory { get; init; }

    public static ImmutableArray<StoreWordDocument> Of(ImmutableArray<StoreVisit> visits) =>
    [
        .. visits.Select(
            static v => new StoreWordDocument(v.Store, v.Says) { Milliseconds = v.Took?.TotalMilliseconds, FromMemory = v.IsFromMemory }),
    ];
}
