using Postern.Relay.Delivery.Places;

namespace Postern.Relay.Delivery.Via;

/// <summary>One way to name a next hop in the <c>via</c> of a route, by the word before its first colon.</summary>
/// <param name="Word">The scheme, in lower case.</param>
/// <param name="Form">How it is written, for who wrote something else.</param>
internal abstract record ViaScheme(string Word, string Form)
{
    /// <summary>Reads a server: what is wrong with it, or null.</summary>
    /// <param name="via">The whole text.</param>
    public delegate string? ServerReader(string via, bool logsIn, out NextHop.Server? server);

    /// <summary>Reads a place: what is wrong with it, or null.</summary>
    /// <param name="text">What stands behind the colon.</param>
    public delegate string? PlaceReader(string text, out IHopPlace? place);

    /// <summary>A server that is spoken to; a route may name several.</summary>
    public sealed record OfServer(string Word, string Form, ServerReader Read) : ViaScheme(Word, Form);

    /// <summary>Somewhere that mail goes by other means; it stands alone.</summary>
    public sealed record OfPlace(string Word, string Form, PlaceReader Read) : ViaScheme(Word, Form);
}
