using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Spool;

namespace Postern.Web.Documents;

/// <summary>A change of one message or many.</summary>
/// <param name="With">
/// What the action needs: the words for the sender of a message that goes back, the way of one that goes another, the address of one
/// that is redirected; null where it needs nothing.
/// </param>
internal sealed record ChangeQueue(QueueAction Action, QueueFilter Filter, string? With = null)
{
    /// <summary>Only says how many messages are meant, and gives the token that confirms the number.</summary>
    public bool DryRun { get; init; }

    /// <summary>From a dry run: the number that was shown. Without one only messages that are named by their ids are changed.</summary>
    public string? Token { get; init; }

    /// <summary>Said where the filter is empty on purpose.</summary>
    public bool Everything { get; init; }

    /// <summary>Why, for the log.</summary>
    public string? Reason { get; init; }
}

/// <summary>Messages that a change would be of.</summary>
/// <param name="Token">Confirms the number, for a minute.</param>
internal sealed record QueueTrial(int Matched, string Token);

/// <param name="Suspends">Else resumes.</param>
internal sealed record SuspendDomains(string[] Domains, bool Suspends);

/// <param name="To">Empty for those that it was for.</param>
/// <param name="OnlyFailed">Of those, the ones that it did not get to.</param>
internal sealed record ResendKept(ImmutableArray<string> To, bool OnlyFailed);
