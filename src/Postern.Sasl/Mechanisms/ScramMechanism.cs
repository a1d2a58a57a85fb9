using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Preparation;
using Postern.Sasl.Scram;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// SCRAM (RFC 5802, RFC 7677): both sides prove that they know the secret, and neither shows it. The -PLUS form binds the proof to the TLS
/// channel (RFC 5929, RFC 9266).
/// </summary>
public sealed class ScramMechanism : ISaslMechanism
{
    private readonly HashAlgorithmName algorithm;
    private readonly bool isPlus;

    private ScramMechanism(string hash, HashAlgorithmName algorithm, bool isPlus)
    {
        this.algorithm = algorithm;
        this.isPlus = isPlus;
        Name = isPlus ? $"SCRAM-{hash}-PLUS" : $"SCRAM-{hash}";
    }

    /// <summary>SCRAM-SHA-1.</summary>
    public static ScramMechanism Sha1 { get; } = new("SHA-1", HashAlgorithmName.SHA1, isPlus: false);

    /// <summary>SCRAM-SHA-256.</summary>
    public static ScramMechanism Sha256 { get; } = new("SHA-256", HashAlgorithmName.SHA256, isPlus: false);

    /// <summary>SCRAM-SHA-512.</summary>
    public static ScramMechanism Sha512 { get; } = new("SHA-512", HashAlgorithmName.SHA512, isPlus: false);

    /// <summary>SCRAM-SHA-1-PLUS.</summary>
    public static ScramMechanism Sha1Plus { get; } = new("SHA-1", HashAlgorithmName.SHA1, isPlus: true);

    /// <summary>SCRAM-SHA-256-PLUS.</summary>
    public static ScramMechanism Sha256Plus { get; } = new("SHA-256", HashAlgorithmName.SHA256, isPlus: true);

    /// <summary>SCRAM-SHA-512-PLUS.</summary>
    public static ScramMechanism Sha512Plus { get; } = new("SHA-512", HashAlgorithmName.SHA512, isPlus: true);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>SHA1, SHA256 or SHA512: the kind of secret that it asks for.</summary>
    public HashAlgorithmName Algorithm => algorithm;

    /// <summary>The -PLUS form, which binds the login to its TLS connection.</summary>
    public bool IsPlus => isPlus;

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) =>
        context.ScramSecrets is not { } secrets || !secrets.Serves(algorithm) || (isPlus && context.Channel is null)
            ? null
            : new Exchange(context, secrets, algorithm, isPlus);

    internal sealed class Exchange(SaslContext context, IScramSecrets secrets, HashAlgorithmName algorithm, bool isPlus) : ISaslExchange
    {
        private const int MaxMessageOctets = 8 * 1024;
        private const int NonceOctets = 24;

        private ScramClientFirst? first;
        private LoginAnswer? lookup;
        private ScramSecret? secret;
        private string serverFirst = string.Empty;
        private string nonce = string.Empty;
        private byte[] binding = [];

        /// <summary>Fixed by tests that replay a recorded dialogue.</summary>
        internal string ServerNonce { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceOctets));

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (response is not { } message)
                return new(new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty));
            if (!StrictUtf8.TryDecode(message.Span, MaxMessageOctets, out var text) || text.Contains('\0', StringComparison.Ordinal))
                return new(Malformed("the message is too long, or not UTF-8"));
            return first is null ? BeginAsync(text, ct) : FinishAsync(text, ct);
        }

        private async ValueTask<SaslStep> BeginAsync(string message, CancellationToken ct)
        {
            if (!ScramClientFirst.TryParse(message, out var parsed, out var problem))
                return Malformed(problem);
            if (WhyNotBound(parsed.Header) is { } objection)
                return objection;
            if (!SaslPrep.TryPrepareQuery(parsed.User, out var user)
                || user.Length is 0 or > 255
                || !SaslPrep.TryPrepareQuery(parsed.Header.AuthorizationId, out _))
                return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name");

            lookup = await secrets.FindAsync(user, algorithm, context.Peer, ct);
            if (lookup is not (LoginAnswer.Found<ScramSecret> or LoginAnswer.NoMatch))
                return SaslStep.Failure.Of(lookup, user);
            first = parsed with { User = user };
            secret = SecretOf(lookup, user);
            nonce = parsed.Nonce + ServerNonce;
            serverFirst = string.Create(
                CultureInfo.InvariantCulture, $"r={nonce},s={Convert.ToBase64String(secret.Salt.Span)},i={secret.Iterations}");
            return new SaslStep.Challenge(Encoding.UTF8.GetBytes(serverFirst));
        }

        /// <summary>The decoy is made for everybody: a user that exists must not save the time.</summary>
        private ScramSecret SecretOf(LoginAnswer answer, string user)
        {
            var absent = answer as LoginAnswer.NoMatch;
            var decoy = context.Decoys.ScramSecret(absent?.User ?? user, algorithm, absent?.Iterations);
            return answer is LoginAnswer.Found<ScramSecret> found ? found.Stored : decoy;
        }

        /// <summary>The proof is checked on the same path whoever the user is; only then it matters what the store said.</summary>
        private async ValueTask<SaslStep> FinishAsync(string message, CancellationToken ct)
        {
            var user = first!.User;
            if (!ScramClientFinal.TryParse(message, out var final))
                return Malformed("the final message is malformed", user);
            var asked = await secrets.BeginProofAsync(user, context.Peer, ct);
            if (asked is not LoginAnswer.Judge turn)
                return SaslStep.Failure.Of(asked, user);
            byte[] expected = [.. Encoding.UTF8.GetBytes(first.Header.Text), .. binding];
            var isBound = CryptographicOperations.FixedTimeEquals(expected, final.Binding);
            var isFresh = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(final.Nonce));
            var signed = Encoding.UTF8.GetBytes($"{first.Bare},{serverFirst},{final.WithoutProof}");
            var proven = FindProven(signed, final.Proof);
            secrets.OnProof(turn, isFresh && isBound && proven is { Refusal: null }, IsUser);
            if (!isFresh)
                return Refuse("the nonce is not the one of this exchange");
            if (!isBound)
                return Refuse("the channel binding does not match: another party may stand between");
            return await Authorization.WhyNotAsync<ScramSecret>(proven ?? lookup, proven is not null, user, ct)
                ?? await Authorization.DecideAsync(context, proven!, ActAs(), ct, Signature(proven!.Stored, signed));
        }

        /// <summary>
        /// The secret of the user that the client knows, of those that the challenge serves; null for none. As much is computed for
        /// everybody.
        /// </summary>
        private LoginAnswer.Found<ScramSecret>? FindProven(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> proof)
        {
            var found = lookup as LoginAnswer.Found<ScramSecret>;
            var alike = found?.Alike ?? [];
            LoginAnswer.Found<ScramSecret>? proven = null;
            for (var i = 0; i <= Math.Max(alike.Length, lookup!.Proofs - 1); i++)
            {
                var one = i == 0 ? found : i <= alike.Length ? alike[i - 1] : null;
                if (ScramFunctions.ProofMatches(algorithm, (one?.Stored ?? secret!).StoredKey.Span, signed, proof))
                    proven ??= one;
            }

            return proven;
        }

        private bool IsUser => lookup is LoginAnswer.Found<ScramSecret> or LoginAnswer.NoMatch { UserExists: true };

        private string ActAs() => SaslPrep.TryPrepareQuery(first!.Header.AuthorizationId, out var actAs) ? actAs : string.Empty;

        /// <summary>server-final-message.</summary>
        private byte[] Signature(ScramSecret proven, byte[] signed) =>
            Encoding.ASCII.GetBytes(
                $"v={Convert.ToBase64String(CryptographicOperations.HmacData(algorithm, proven.ServerKey.Span, signed))}");

        /// <summary>RFC 5802 §6: p needs a binding we have, y must not come where a -PLUS mechanism was on offer.</summary>
        private SaslStep.Failure? WhyNotBound(Gs2Header header)
        {
            if (isPlus != header.Binding is not null)
                return Malformed(isPlus ? "a -PLUS mechanism without channel binding" : "channel binding outside of a -PLUS mechanism");
            if (header.IsDowngradeSuspected && context.OffersChannelBinding)
                return new SaslStep.Failure(
                    SaslError.BadCredentials,
                    ClaimedUser: null,
                    "the client could bind to the channel and saw no -PLUS mechanism, yet one was offered: somebody may have removed it");
            if (header.Binding is not { } name)
                return null;
            if (ChannelBindingType.Find(name) is not { } type || !context.Channel!.TryGet(type, out var data))
                return new SaslStep.Failure(
                    SaslError.BadCredentials, ClaimedUser: null, $"the channel binding '{name}' cannot be computed here");
            binding = data.ToArray();
            return null;
        }

        private SaslStep.Failure Refuse(string reason) => new(SaslError.BadCredentials, first!.User, reason, IsUser);

        private static SaslStep.Failure Malformed(string reason, string? user = null) => new(SaslError.Malformed, user, reason);
    }
}
