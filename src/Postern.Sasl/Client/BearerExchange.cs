using System.Text;

namespace Postern.Sasl.Client;

/// <summary>
/// One message with a token; a challenge after it says why the server refuses, and wants an answer before it fails (RFC 7628 §3.2.3).
/// </summary>
internal sealed class BearerExchange(byte[] initial, byte[] acknowledgement) : ISaslClientExchange
{
    private int step;

    public bool MayTrustSuccess => step == 1;

    /// <summary>The server's own words, once it has refused: JSON, made printable.</summary>
    public string? Refusal { get; private set; }

    public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
    {
        switch (step++)
        {
            case 0:
                return new SaslClientStep.Response(initial);
            case 1:
                Refusal = ServerText.Printable(Encoding.UTF8.GetString((challenge ?? default).Span));
                return new SaslClientStep.Response(acknowledgement);
            default:
                return new SaslClientStep.Cancel($"the server refused the token: {Refusal}");
        }
    }

    public void Dispose()
    {
    }
}
