using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Text;

namespace Postern.Sasl.Client;

/// <summary>GSSAPI (RFC 4752): Kerberos V5 with the platform's ticket cache or a password. Takes no security layer.</summary>
public sealed class GssapiClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static GssapiClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "GSSAPI";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials is { Kerberos: { } kerberos, Host.Length: > 0 }
            ? new Exchange(kerberos, $"{credentials.Service}/{credentials.Host}", credentials.AuthorizationId)
            : null;

    private sealed class Exchange(NetworkCredential credential, string target, string actAs) : ISaslClientExchange
    {
        private readonly NegotiateAuthentication kerberos = new(
            new NegotiateAuthenticationClientOptions
            {
                Package = "Kerberos",
                Credential = credential,
                TargetName = target,
                RequireMutualAuthentication = true,
            });
        private bool hasBegun;
        private bool isEstablished;

        public bool MayTrustSuccess { get; private set; }

        public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
        {
            if (isEstablished)
                return Choose(challenge ?? default);
            var token = kerberos.GetOutgoingBlob((challenge ?? default).Span, out var status);
            isEstablished = status == NegotiateAuthenticationStatusCode.Completed;
            if (!isEstablished && status != NegotiateAuthenticationStatusCode.ContinueNeeded)
                return new SaslClientStep.Cancel(hasBegun ? $"Kerberos: {status}" : $"Kerberos: {status}; is there a ticket for {target}?");
            hasBegun = true;
            return new SaslClientStep.Response(token ?? []);
        }

        public void Dispose() => kerberos.Dispose();

        /// <summary>RFC 4752 §3.1: the server offers layers, the client takes none and says on whose behalf it acts.</summary>
        private SaslClientStep Choose(ReadOnlyMemory<byte> offer)
        {
            var unwrapped = new ArrayBufferWriter<byte>();
            if (MayTrustSuccess
                || kerberos.Unwrap(offer.Span, unwrapped, out _) != NegotiateAuthenticationStatusCode.Completed
                || unwrapped.WrittenCount != 4)
                return new SaslClientStep.Cancel("the server's offer of security layers cannot be read");
            if ((unwrapped.WrittenSpan[0] & 1) == 0)
                return new SaslClientStep.Cancel("the server insists on a security layer");
            var wrapped = new ArrayBufferWriter<byte>();
            if (kerberos.Wrap(
                [1, 0, 0, 0, .. Encoding.UTF8.GetBytes(actAs)],
                wrapped,
                requestEncryption: false,
                out _) != NegotiateAuthenticationStatusCode.Completed)
                return new SaslClientStep.Cancel("Kerberos: the answer could not be wrapped");
            MayTrustSuccess = true;
            return new SaslClientStep.Response(wrapped.WrittenMemory);
        }
    }
}
