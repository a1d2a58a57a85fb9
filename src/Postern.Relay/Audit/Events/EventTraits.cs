using System.Collections.Immutable;

namespace Postern.Relay.Audit.Events;

/// <summary>What an event can be found by; null where the event has no such thing.</summary>
internal readonly record struct EventTraits
{
    public string? Session { get; init; }

    public string? Client { get; init; }

    public string? User { get; init; }

    public string? ActingAs { get; init; }

    public string? Ref { get; init; }

    public string? QueueId { get; init; }

    /// <summary>In the word of the event.</summary>
    public string? Outcome { get; init; }

    /// <summary>Empty for the null sender.</summary>
    public string? Sender { get; init; }

    /// <summary>The only recipient.</summary>
    public string? Recipient { get; init; }

    /// <summary>Where there may be several.</summary>
    public ImmutableArray<string> Recipients { get; init; }

    public string? MessageId { get; init; }

    public string? Rule { get; init; }

    public string? Route { get; init; }

    public string? Tenant { get; init; }

    public string? Category { get; init; }

    /// <summary>Of the directory, <c>#7</c>.</summary>
    public string? Credential { get; init; }

    /// <summary>It tells who gave the message <see cref="QueueId"/>, and what it is.</summary>
    public bool BeginsMessage { get; init; }

    /// <summary>It tells what became of the message <see cref="QueueId"/>: who gave that is known from another event.</summary>
    public bool ContinuesMessage { get; init; }

    /// <summary>The recipient or one of the recipients.</summary>
    public bool HasRecipient(Func<string, string, bool> fits, string wanted)
    {
        if (Recipient is not null && fits(Recipient, wanted))
            return true;
        foreach (var recipient in Recipients.IsDefault ? [] : Recipients)
        {
            if (fits(recipient, wanted))
                return true;
        }

        return false;
    }
}
