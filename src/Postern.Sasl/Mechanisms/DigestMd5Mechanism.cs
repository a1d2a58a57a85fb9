using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Digest;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// DIGEST-MD5 (RFC 2831, moved to historic by RFC 6331): qop=auth only, never a security layer, every nonce good for one exchange. For
/// clients that know nothing better.
/// </summary>
public sealed class DigestMd5Mechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static DigestMd5Mechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "DIGEST-MD5";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => false;

    /// <inheritdoc/>
    public bool IsOptIn => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.DigestSecrets is { } secrets ? new Exchange(context, secrets) : null;

    internal sealed class Exchange(SaslContext context, IDigestSecrets secrets) : ISaslExchange
    {
        /// <summary>RFC 2831 §2.1.2: a digest-response has less than 4,096 octets.</summary>
        private const int MaxMessageOctets = 4095;

        /// <summary>Each exchange makes its own nonce, so the first use is the only one.</summary>
        private const string OnlyUse = "00000001";

        private string? nonce;

        /// <summary>Fixed by tests that replay a recorded dialogue.</summary>
        internal string Nonce { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (nonce is not null && response is { } message)
                return CheckAsync(message, ct);
            nonce = Nonce;
            var realms = string.Concat(secrets.Realms.Select(static realm => $"realm=\"{Escape(realm)}\","));
            return new(
                new SaslStep.Challenge(Encoding.UTF8.GetBytes($"{realms}nonce=\"{nonce}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess")));
        }

        private async ValueTask<SaslStep> CheckAsync(ReadOnlyMemory<byte> message, CancellationToken ct)
        {
            if (!DigestDirectives.TryParse(message.Span, MaxMessageOctets, out var directives))
                return Malformed("not a list of directives");
            if (!DigestResponse.TryRead(directives, out var said, out var problem))
                return Malformed(problem);
            if (!SaslPrep.TryPrepareQuery(said.User, out var user)
                || user.Length == 0
                || !SaslPrep.TryPrepareQuery(said.AuthorizationId, out var actAs))
                return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name");
            if (WhyNot(said) is { } objection)
                return new SaslStep.Failure(SaslError.BadCredentials, user, objection);

            var lookup = await secrets.FindDigestAsync(user, said.Realm, context.Peer, ct);
            if (lookup is not (LoginAnswer.Found<SharedSecret> or LoginAnswer.NoMatch))
                return SaslStep.Failure.Of(lookup, user);
            var asked = await secrets.BeginProofAsync(user, context.Peer, ct);
            if (asked is not LoginAnswer.Judge turn)
                return SaslStep.Failure.Of(asked, user);
            var decoy = context.Decoys.DigestSecret(user, said.Realm); // for everybody: a user that exists must not save the time
            var found = lookup as LoginAnswer.Found<SharedSecret>;
            var (secret, isProven) = Judge(found is { Stored: var stored } ? [stored.Octets, .. stored.OtherSpellings] : [decoy], said);
            secrets.OnProof(
                turn, isProven && found is { Refusal: null }, found is not null || lookup is LoginAnswer.NoMatch { UserExists: true });
            if (found is { Stored.Octets.IsEmpty: true })
                return new SaslStep.Failure(SaslError.TemporaryFailure, user, "the store gave an empty secret");
            return await Authorization.WhyNotAsync<SharedSecret>(lookup, isProven, user, ct)
                ?? await Authorization.DecideAsync(context, found!, actAs, ct, Confirm(secret.Span, said));
        }

        /// <summary>The secret of the spelling that the client used; the first where it used none.</summary>
        private (ReadOnlyMemory<byte> Secret, bool IsProven) Judge(IReadOnlyList<ReadOnlyMemory<byte>> secrets, DigestResponse said)
        {
            var (secret, isProven) = (secrets[0], false);
            foreach (var one in secrets)
            {
                var expected = DigestFunctions.Response(
                    one.Span, nonce!, said.ClientNonce, said.Count, said.Uri, said.AuthorizationId, "AUTHENTICATE");
                if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(said.Proof)))
                    continue;
                (secret, isProven) = (one, true);
            }

            return (secret, isProven);
        }

        /// <summary>The server's own proof (§2.1.3).</summary>
        private byte[] Confirm(ReadOnlySpan<byte> secret, DigestResponse said) =>
            Encoding.ASCII.GetBytes(
                "rspauth="
                    + DigestFunctions.Response(secret, nonce!, said.ClientNonce, OnlyUse, said.Uri, said.AuthorizationId, string.Empty));

        /// <summary>
        /// The host in digest-uri is not compared: clients know a server by aliases and addresses, and that it is the right one is what its
        /// certificate says.
        /// </summary>
        private string? WhyNot(DigestResponse said) =>
            said.Nonce != nonce ? "the nonce is not the one of this exchange"
            : said.Count != OnlyUse ? "the nonce count is not 1: a nonce is good for one exchange"
            : !secrets.Realms.Contains(said.Realm, StringComparer.Ordinal) ? "a realm that was not offered, or none"
            : !said.Uri.StartsWith(context.Service + "/", StringComparison.OrdinalIgnoreCase)
                || said.Uri.Length == context.Service.Length + 1 ? $"the digest is for '{said.Uri}', not for this service"
            : null;

        private static string Escape(string text) =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

        private static SaslStep.Failure Malformed(string reason) => new(SaslError.Malformed, ClaimedUser: null, reason);
    }
}
