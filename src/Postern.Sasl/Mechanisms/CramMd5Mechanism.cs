using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// CRAM-MD5 (RFC 2195): a keyed digest of a challenge. It hides the password from who listens, and makes the server keep it readable; for
/// clients that know nothing better.
/// </summary>
public sealed class CramMd5Mechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static CramMd5Mechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "CRAM-MD5";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => false;

    /// <inheritdoc/>
    public bool IsOptIn => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.SharedSecrets is { } secrets ? new Exchange(context, secrets) : null;

    internal sealed class Exchange(SaslContext context, ISharedSecrets secrets) : ISaslExchange
    {
        private const int DigestCharacters = 32;
        private const int MaxMessageOctets = 255 * 4;

        /// <summary>About a password's length, and never more than one block: a longer key would take another.</summary>
        private const int DecoyOctets = 16;

        private byte[]? challenge;

        /// <summary>Fixed by tests that replay a recorded dialogue.</summary>
        internal string Nonce { get; init; } = $"{RandomNumberGenerator.GetHexString(32, lowercase: true)}@{context.Hostname}";

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (challenge is not null && response is { } message)
                return CheckAsync(message, ct);
            challenge = Encoding.ASCII.GetBytes($"<{Nonce}>");
            return new(new SaslStep.Challenge(challenge));
        }

        /// <summary>Everything up to the last space is the name: it may hold spaces itself.</summary>
        private async ValueTask<SaslStep> CheckAsync(ReadOnlyMemory<byte> message, CancellationToken ct)
        {
            if (!StrictUtf8.TryDecode(message.Span, MaxMessageOctets, out var text)
                || text.LastIndexOf(' ') is not (> 0 and var space)
                || text.Length - space - 1 != DigestCharacters)
                return new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "not a user name, a space and 32 hexadecimal digits");
            if (!SaslPrep.TryPrepareQuery(text[..space], out var user) || user.Length == 0)
                return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name");

            var lookup = await secrets.FindSecretAsync(user, context.Peer, ct);
            if (lookup is not (LoginAnswer.Found<SharedSecret> or LoginAnswer.NoMatch))
                return SaslStep.Failure.Of(lookup, user);
            var asked = await secrets.BeginProofAsync(user, context.Peer, ct);
            if (asked is not LoginAnswer.Judge turn)
                return SaslStep.Failure.Of(asked, user);
            var isProven = Expected(lookup).Aggregate(seed: false, (proven, expected) =>
                proven
                    | CryptographicOperations.FixedTimeEquals(
                        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(expected.Span)), Encoding.UTF8.GetBytes(text[(space + 1)..])));
            var found = lookup as LoginAnswer.Found<SharedSecret>;
            secrets.OnProof(
                turn, isProven && found is { Refusal: null }, found is not null || lookup is LoginAnswer.NoMatch { UserExists: true });
            if (found is { Stored: { Octets.IsEmpty: true, Hmac: null } })
                return new SaslStep.Failure(SaslError.TemporaryFailure, user, "the store gave an empty secret");
            return await Authorization.WhyNotAsync<SharedSecret>(lookup, isProven, user, ct)
                ?? await Authorization.DecideAsync(context, found!, actAs: string.Empty, ct);
        }

        /// <summary>One for each spelling of the password.</summary>
        private IEnumerable<ReadOnlyMemory<byte>> Expected(LoginAnswer lookup)
        {
            var found = (lookup as LoginAnswer.Found<SharedSecret>)?.Stored;
            if (found?.Hmac is { } hmac)
                return [hmac(challenge)];
            var secret = found?.Octets ?? challenge.AsMemory(0, DecoyOctets);
#pragma warning disable CA5351 // RFC 2195 is MD5; the mechanism is off unless it is asked for by name
            return (found?.OtherSpellings ?? []).Prepend(secret).Select(one => (ReadOnlyMemory<byte>)HMACMD5.HashData(one.Span, challenge));
#pragma warning restore CA5351
        }
    }
}
