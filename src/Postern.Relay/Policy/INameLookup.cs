using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// What DNS says of names that clients use. It may be asked from any thread; answers are kept as long as their TTL allows.
/// </summary>
public interface INameLookup
{
    /// <summary>Whether mail for a domain has a place: an exchanger, or an address of its own (RFC 5321 §5.1).</summary>
    ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct);

    /// <summary>
    /// The name of an address that has that address again: both ways, for who owns a network writes any name into its zone.
    /// </summary>
    ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct);
}

/// <summary>What DNS says of a name.</summary>
/// <param name="Saw">For people; without a dot at its end.</param>
public abstract record NameAnswer(string Saw)
{
    /// <summary>There is such a name, and it does what it was asked for.</summary>
    public sealed record Known(string Saw) : NameAnswer(Saw);

    /// <summary>There is not, and asking again would not help.</summary>
    public sealed record Unknown(string Saw) : NameAnswer(Saw)
    {
        /// <summary>The domain says that it takes no mail at all (RFC 7505).</summary>
        public bool TakesNone { get; init; }
    }

    /// <summary>Nobody answered, or nobody was asked.</summary>
    public sealed record Unavailable(string Saw) : NameAnswer(Saw);
}

/// <summary>Where nobody asks DNS: nothing can be said.</summary>
internal sealed class UnknownNames : INameLookup
{
    public static UnknownNames Instance { get; } = new();

    public ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct) => new(new NameAnswer.Unavailable("DNS is not asked"));

    public ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct) =>
        new(new NameAnswer.Unavailable("DNS is not asked"));
}
