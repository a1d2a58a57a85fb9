using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Places;

/// <summary>Mail is taken and thrown away, as Postfix's <c>discard</c>: <c>discard:</c>, or with a text for the log.</summary>
internal sealed record DiscardPlace(string Text) : IHopPlace
{
    /// <summary>
    /// For its sender: it is delivered, as nothing more comes of it (RFC 3461 §5.2.3), and nobody is to think that somebody reads it.
    /// </summary>
    public const string Words = "taken by this server, which keeps no mail for this address";

    public string Name => $"discard:{Text}";

    public string? Doubt => null;

    public static string? Read(string text, out IHopPlace? place)
    {
        place = new DiscardPlace(text.Trim());
        return null;
    }

    public ValueTask<Outcome> DeliverAsync(OutgoingMessage message, Mailbox recipient, PlaceContext context, CancellationToken ct) =>
        new(new Outcome.Delivered(Remote: null, Text.Length == 0 ? "discarded" : $"discarded: {Text}", Tls: null, "2.0.0")
        {
            IsFinal = true,
            Told = Words,
            Phase = DeliveryPhase.End,
        });
}
