namespace Postern.Sasl.Client;

/// <summary>What the client half answers to a challenge.</summary>
public abstract record SaslClientStep
{
    private SaslClientStep()
    {
    }

    /// <summary>Send this; null only at the start, where there is no initial response. Not yet base64-encoded.</summary>
    public sealed record Response(ReadOnlyMemory<byte>? Data) : SaslClientStep
    {
        internal static Response None { get; } = new(Data: null);

        internal static Response Empty { get; } = new(ReadOnlyMemory<byte>.Empty);
    }

    /// <summary>Cancel the exchange: the server broke the mechanism's rules, could not prove itself, or said why it refuses.</summary>
    public sealed record Cancel(string Reason) : SaslClientStep;
}
