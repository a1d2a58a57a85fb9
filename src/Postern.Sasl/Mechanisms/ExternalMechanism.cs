using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>EXTERNAL (RFC 4422 appendix A): the client is known by its certificate, and says at most on whose behalf it acts.</summary>
public sealed class ExternalMechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static ExternalMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "EXTERNAL";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.External is { } external ? new Exchange(context, external) : null;

    private sealed class Exchange(SaslContext context, IExternalIdentity external) : ISaslExchange
    {
        private const int MaxMessageOctets = 255 * 4;

        public async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (response is not { } message)
                return new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty);
            if (!StrictUtf8.TryDecode(message.Span, MaxMessageOctets, out var text) || !SaslPrep.TryPrepareQuery(text, out var actAs))
                return new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "the authorization identity is not a name");
            return await Authorization.DecideAsync(context, await external.IdentifyAsync(ct), claimed: null, actAs, ct);
        }
    }
}
