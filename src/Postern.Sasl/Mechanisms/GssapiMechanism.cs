using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Authentication.ExtendedProtection;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// GSSAPI (RFC 4752): Kerberos V5, checked by the platform against the service's keytab. No security layer is ever offered or taken: TLS is that.
/// </summary>
public sealed class GssapiMechanism : ISaslMechanism
{
    /// <summary>The one there is; it holds no state.</summary>
    public static GssapiMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "GSSAPI";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.KerberosUsers is { } users ? new Exchange(context, users) : null;

    private sealed class Exchange(SaslContext context, IKerberosUsers users) : ISaslExchange
    {
        /// <summary>Layers offered: "none" (1), with a buffer size of zero (§3.1).</summary>
        private static readonly byte[] NoLayer = [1, 0, 0, 0];

        private NegotiateAuthentication? kerberos;
        private string? principal;
        private bool hasOffered;

        public async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (response is not { } token)
                return new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty);
            var step = hasOffered ? await FinishAsync(token, ct) : principal is null ? Accept(token.Span) : Offer();
            if (step is not SaslStep.Challenge)
                kerberos?.Dispose();
            return step;
        }

        private SaslStep Accept(ReadOnlySpan<byte> token)
        {
            kerberos ??= new NegotiateAuthentication(new NegotiateAuthenticationServerOptions { Package = "Kerberos", Credential = CredentialCache.DefaultNetworkCredentials, Policy = new ExtendedProtectionPolicy(PolicyEnforcement.Never) });
            var answer = kerberos.GetOutgoingBlob(token, out var status);
            switch (status)
            {
                case NegotiateAuthenticationStatusCode.ContinueNeeded:
                    return new SaslStep.Challenge(answer ?? []);
                case NegotiateAuthenticationStatusCode.Completed:
                    principal = kerberos.RemoteIdentity.Name ?? string.Empty;
                    return answer is { Length: > 0 } ? new SaslStep.Challenge(answer) : Offer();
                case NegotiateAuthenticationStatusCode.UnknownCredentials or NegotiateAuthenticationStatusCode.GenericFailure:
                    return new SaslStep.Failure(SaslError.TemporaryFailure, ClaimedUser: null, $"Kerberos: {status}; the keytab of this service may be missing or unreadable");
                default:
                    return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, $"Kerberos: {status}");
            }
        }

        private SaslStep Offer()
        {
            var wrapped = new ArrayBufferWriter<byte>();
            if (kerberos!.Wrap(NoLayer, wrapped, requestEncryption: false, out _) != NegotiateAuthenticationStatusCode.Completed)
                return new SaslStep.Failure(SaslError.TemporaryFailure, principal, "Kerberos: the offer of security layers could not be wrapped");
            hasOffered = true;
            return new SaslStep.Challenge(wrapped.WrittenMemory);
        }

        private async ValueTask<SaslStep> FinishAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
        {
            var unwrapped = new ArrayBufferWriter<byte>();
            if (kerberos!.Unwrap(token.Span, unwrapped, out _) != NegotiateAuthenticationStatusCode.Completed || unwrapped.WrittenCount < 4)
                return new SaslStep.Failure(SaslError.BadCredentials, principal, "Kerberos: the choice of a security layer could not be unwrapped");
            if (unwrapped.WrittenSpan[0] != NoLayer[0])
                return new SaslStep.Failure(SaslError.Malformed, principal, "the client chose a security layer that was not offered");
            if (!StrictUtf8.TryDecode(unwrapped.WrittenSpan[4..], 255 * 4, out var text) || !SaslPrep.TryPrepareQuery(text, out var actAs))
                return new SaslStep.Failure(SaslError.BadCredentials, principal, "the authorization identity is not a name");
            if (string.Equals(actAs, principal, StringComparison.Ordinal))
                actAs = string.Empty;
            return await Authorization.DecideAsync(context, await users.FindPrincipalAsync(principal!, ct), principal, actAs, ct);
        }
    }
}
