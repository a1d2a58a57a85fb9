using Postern.Sasl.Kerberos;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// GSSAPI (RFC 4752): Kerberos V5, against the keys of <see cref="SaslContext.Kerberos"/>. No security layer is ever offered or taken: TLS
/// is that.
/// </summary>
public sealed class GssapiMechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static GssapiMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "GSSAPI";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) =>
        context is { Kerberos: { } service, KerberosUsers: { } users } ? new Exchange(context, service, users) : null;

    private sealed class Exchange(SaslContext context, KerberosService service, IKerberosUsers users) : ISaslExchange
    {
        /// <summary>Layers offered: "none" (1), with a buffer size of zero (§3.1).</summary>
        private static readonly byte[] NoLayer = [1, 0, 0, 0];

        private KerberosContext? kerberos;
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
            kerberos ??= service.Begin();
            switch (kerberos.Accept(token))
            {
                case KerberosAnswer.Continue(var answer):
                    return new SaslStep.Challenge(answer);
                case KerberosAnswer.Established(var client, var answer):
                    principal = client;
                    return answer.Length > 0 ? new SaslStep.Challenge(answer) : Offer();
                case KerberosAnswer.Refused(var reason, var isOurs):
                    return new SaslStep.Failure(
                        isOurs ? SaslError.TemporaryFailure : SaslError.BadCredentials, ClaimedUser: null, $"Kerberos: {reason}");
                default:
                    return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "Kerberos gave no answer");
            }
        }

        private SaslStep Offer()
        {
            if (kerberos!.Wrap(NoLayer) is not { } wrapped)
                return new SaslStep.Failure(
                    SaslError.TemporaryFailure, principal, "Kerberos: the offer of security layers could not be wrapped");
            hasOffered = true;
            return new SaslStep.Challenge(wrapped);
        }

        private async ValueTask<SaslStep> FinishAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
        {
            if (kerberos!.Unwrap(token.Span) is not { Length: >= 4 } choice)
                return new SaslStep.Failure(
                    SaslError.BadCredentials, principal, "Kerberos: the choice of a security layer could not be unwrapped");
            if (choice[0] != NoLayer[0])
                return new SaslStep.Failure(SaslError.Malformed, principal, "the client chose a security layer that was not offered");
            if (!StrictUtf8.TryDecode(choice.AsSpan(4), 255 * 4, out var text) || !SaslPrep.TryPrepareQuery(text, out var actAs))
                return new SaslStep.Failure(SaslError.BadCredentials, principal, "the authorization identity is not a name");
            if (string.Equals(actAs, principal, StringComparison.Ordinal))
                actAs = string.Empty;
            return await Authorization.DecideAsync(context, await users.FindPrincipalAsync(principal!, ct), principal, actAs, ct);
        }
    }
}
