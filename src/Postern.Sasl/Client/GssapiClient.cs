using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Text;
using Postern.Sasl.Kerberos;

namespace Postern.Sasl.Client;

/// <summary>
/// GSSAPI (RFC 4752): Kerberos V5 with a keytab, with the ticket cache or with a password. Takes no security layer.
/// </summary>
public sealed class GssapiClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static GssapiClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "GSSAPI";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials)
    {
        if (credentials is { Host.Length: 0 } or { Kerberos: null, KerberosKeytab: null })
            return null;
        var asksLibrary = credentials.KerberosKeytab is not null
            || (ReferenceEquals(credentials.Kerberos, CredentialCache.DefaultNetworkCredentials) && KerberosTickets.IsHere);
        return new Exchange(
            asksLibrary ? new OfLibrary(credentials) : new OfRuntime(credentials.Kerberos!, credentials), credentials.AuthorizationId);
    }

    /// <summary>The exchange itself, whoever makes the tokens.</summary>
    private sealed class Exchange(ITokens tokens, string actAs) : ISaslClientExchange
    {
        private bool isEstablished;

        public bool MayTrustSuccess { get; private set; }

        public bool AsksElsewhere => true;

        public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
        {
            if (isEstablished)
                return Choose(challenge ?? default);
            var (token, isDone, problem) = tokens.Next((challenge ?? default).Span);
            if (problem is not null)
                return new SaslClientStep.Cancel($"Kerberos: {problem}");
            isEstablished = isDone;
            return new SaslClientStep.Response(token ?? []);
        }

        public void Dispose() => tokens.Dispose();

        /// <summary>RFC 4752 §3.1: the server offers layers, the client takes none and says on whose behalf it acts.</summary>
        private SaslClientStep Choose(ReadOnlyMemory<byte> offer)
        {
            if (MayTrustSuccess || tokens.Unwrap(offer.Span) is not { Length: 4 } unwrapped)
                return new SaslClientStep.Cancel("the server's offer of security layers cannot be read");
            if ((unwrapped[0] & 1) == 0)
                return new SaslClientStep.Cancel("the server insists on a security layer");
            if (tokens.Wrap([1, 0, 0, 0, .. Encoding.UTF8.GetBytes(actAs)]) is not { } wrapped)
                return new SaslClientStep.Cancel("Kerberos: the answer could not be wrapped");
            MayTrustSuccess = true;
            return new SaslClientStep.Response(wrapped);
        }
    }

    /// <summary>One client's half of Kerberos.</summary>
    private interface ITokens : IDisposable
    {
        /// <summary>The next token; or why there is none.</summary>
        (byte[]? Token, bool IsDone, string? Problem) Next(ReadOnlySpan<byte> challenge);

        byte[]? Wrap(ReadOnlySpan<byte> message);

        byte[]? Unwrap(ReadOnlySpan<byte> wrapped);
    }

    /// <summary>By MIT's own calls, which know keytabs and say what is wrong.</summary>
    private sealed class OfLibrary(SaslClientCredentials credentials) : ITokens
    {
        private KerberosContext? context;

        public (byte[]? Token, bool IsDone, string? Problem) Next(ReadOnlySpan<byte> challenge)
        {
            if (context is null)
            {
                if (!KerberosTickets.IsHere)
                    return (null, false, $"{GssLibrary.Name} is not installed (Debian: apt install libgssapi-krb5-2)");
                var principal = credentials.KerberosKeytab is null ? string.Empty : credentials.User;
                context = KerberosTickets.Begin(credentials.KerberosKeytab, principal, out var problem);
                if (context is null)
                    return (null, false, problem);
            }

            return context.Initiate($"{credentials.Service}@{credentials.Host}", challenge) switch
            {
                KerberosAnswer.Continue(var token) => (token, false, null),
                KerberosAnswer.Established(_, var token) => (token, true, null),
                KerberosAnswer.Refused(var reason, _) => (null, false, reason),
                _ => throw new InvalidOperationException("Unknown answer"),
            };
        }

        public byte[]? Wrap(ReadOnlySpan<byte> message) => context!.Wrap(message);

        public byte[]? Unwrap(ReadOnlySpan<byte> wrapped) => context!.Unwrap(wrapped);

        public void Dispose() => context?.Dispose();
    }

    /// <summary>By the runtime: with a password, and wherever MIT's library is not.</summary>
    private sealed class OfRuntime(NetworkCredential credential, SaslClientCredentials credentials) : ITokens
    {
        private readonly string target = $"{credentials.Service}/{credentials.Host}";
        private readonly NegotiateAuthentication kerberos = new(
            new NegotiateAuthenticationClientOptions
            {
                Package = "Kerberos",
                Credential = credential,
                TargetName = $"{credentials.Service}/{credentials.Host}",
                RequireMutualAuthentication = true,
            });
        private bool hasBegun;

        public (byte[]? Token, bool IsDone, string? Problem) Next(ReadOnlySpan<byte> challenge)
        {
            var token = kerberos.GetOutgoingBlob(challenge, out var status);
            var isDone = status == NegotiateAuthenticationStatusCode.Completed;
            if (!isDone && status != NegotiateAuthenticationStatusCode.ContinueNeeded)
                return (null, false, hasBegun ? $"{status}" : $"{status}; is there a ticket for {target}?");
            hasBegun = true;
            return (token, isDone, null);
        }

        public byte[]? Wrap(ReadOnlySpan<byte> message)
        {
            var wrapped = new ArrayBufferWriter<byte>();
            return kerberos.Wrap(message, wrapped, requestEncryption: false, out _) == NegotiateAuthenticationStatusCode.Completed
                ? wrapped.WrittenSpan.ToArray()
                : null;
        }

        public byte[]? Unwrap(ReadOnlySpan<byte> message)
        {
            var unwrapped = new ArrayBufferWriter<byte>();
            return kerberos.Unwrap(message, unwrapped, out _) == NegotiateAuthenticationStatusCode.Completed
                ? unwrapped.WrittenSpan.ToArray()
                : null;
        }

        public void Dispose() => kerberos.Dispose();
    }
}
