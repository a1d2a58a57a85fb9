using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Segments;

/// <summary><see cref="RecipientParameters"/> as they are written.</summary>
/// <param name="OrcptType">Null without ORCPT=.</param>
internal sealed record StoredRecipientParameters(DsnNotify Notify, string? OrcptType, string? Orcpt)
{
    /// <summary>Null where no recipient said anything.</summary>
    public static StoredRecipientParameters[]? Of(Envelope envelope) => envelope.RecipientParameters.All(static p => p == RecipientParameters.None)
        ? null
        : [.. envelope.RecipientParameters.Select(static p => new StoredRecipientParameters(p.Notify, p.OriginalRecipient?.Type, p.OriginalRecipient?.Address))];

    /// <exception cref="FormatException">Not one for each recipient.</exception>
    public static ImmutableArray<RecipientParameters> ToParameters(StoredRecipientParameters[]? stored, int recipients)
    {
        if (stored is null)
            return [];
        if (stored.Length != recipients)
            throw new FormatException($"parameters of {stored.Length} recipients for a message of {recipients}");
        return
        [
            .. stored.Select(static s => s is { Notify: DsnNotify.Unspecified, OrcptType: null }
                ? RecipientParameters.None
                : new RecipientParameters { Notify = s.Notify, OriginalRecipient = s.OrcptType is null ? null : new OriginalRecipient(s.OrcptType, s.Orcpt ?? string.Empty) }),
        ];
    }
}
