using System.Collections.Immutable;

namespace Postern.Relay.Delivery;

/// <summary>Where mail for a domain goes, by DNS.</summary>
internal abstract record MxAnswer
{
    private MxAnswer()
    {
    }

    /// <summary>Hosts in the order to be tried.</summary>
    public sealed record Hosts(ImmutableArray<Exchanger> Exchangers) : MxAnswer
    {
        /// <summary>Proven by DNSSEC, by the word of a resolver that is believed. Nothing rests on it yet.</summary>
        public bool IsAuthentic { get; init; }

        public ImmutableArray<string> Names => [.. Exchangers.Select(static e => e.Name)];
    }

    /// <summary>The domain takes no mail, and asking again would not help.</summary>
    public sealed record Never(string Status, string Reason) : MxAnswer;

    /// <summary>DNS did not answer.</summary>
    public sealed record Unavailable(string Reason) : MxAnswer;
}
