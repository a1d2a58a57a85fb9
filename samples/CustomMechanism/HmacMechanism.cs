using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Samples;

/// <summary>
/// X-HMAC-SHA256: the server sends 32 random octets, the client answers <c>device NUL HMAC-SHA-256(key, challenge)</c>. For devices that were
/// given a key when they were made.
/// </summary>
internal sealed class HmacMechanism(IReadOnlyDictionary<string, byte[]> keys) : ISaslMechanism
{
    public string Name => "X-HMAC-SHA256";

    public bool ExposesSecret => false;

    public bool TakesInitialResponse => false;

    public ISaslExchange? TryStart(SaslContext context) => new Exchange(keys);

    /// <summary>The client's half, as a device computes it.</summary>
    public static byte[] Answer(string device, ReadOnlySpan<byte> key, ReadOnlySpan<byte> challenge) =>
        [.. Encoding.UTF8.GetBytes(device), 0, .. HMACSHA256.HashData(key, challenge)];

    private sealed class Exchange(IReadOnlyDictionary<string, byte[]> keys) : ISaslExchange
    {
        private byte[]? challenge;

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (challenge is not null && response is { } answer)
                return new(Check(answer.Span, challenge));
            challenge = RandomNumberGenerator.GetBytes(32);
            return new(new SaslStep.Challenge(challenge));
        }

        private SaslStep Check(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> asked)
        {
            var nul = answer.IndexOf((byte)0);
            if (nul < 1 || answer.Length - nul - 1 != HMACSHA256.HashSizeInBytes || !Ascii.IsValid(answer[..nul]))
                return new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "not a device, NUL and 32 octets");

            // A device that does not exist takes the same path, with a key that nobody has.
            var device = Encoding.ASCII.GetString(answer[..nul]);
            var exists = keys.TryGetValue(device, out var key);
            var expected = HMACSHA256.HashData(key ?? RandomNumberGenerator.GetBytes(32), asked);
            return CryptographicOperations.FixedTimeEquals(answer[(nul + 1)..], expected) && exists
                ? new SaslStep.Success(new SaslIdentity(device, device)) { Text = new OutcomeText("Hello, device") }
                : new SaslStep.Failure(SaslError.BadCredentials, device, "wrong answer, or no such device", exists);
        }
    }
}
