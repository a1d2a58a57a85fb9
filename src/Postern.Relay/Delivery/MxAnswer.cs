using System.Collections.Immutable;
using System.Net;

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

/// <summary>The addresses of a host.</summary>
internal abstract record AddressAnswer
{
    private AddressAnswer()
    {
    }

    public sealed record Found(ImmutableArray<IPAddress> Addresses) : AddressAnswer;

    /// <summary>The host has no address.</summary>
    public sealed record None(string Reason) : AddressAnswer;

    public sealed record Unavailable(string Reason) : AddressAnswer;
}

/// <summary>One host that takes mail for a domain; the lower the preference, the sooner it is asked (RFC 5321 §5.1).</summary>
internal readonly record struct Exchanger(string Name, int Preference)
{
    /// <summary>Where it listens, as DNS has it; null for the usual port.</summary>
    public int? Port { get; init; }

    /// <summary>The domain of an operator's server that DNS was asked about to find it; null for any other.</summary>
    public string? FoundBy { get; init; }

    /// <summary>DNSSEC proves that answer.</summary>
    public bool IsProven { get; init; }
}
