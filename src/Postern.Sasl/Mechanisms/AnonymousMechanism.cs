namespace Postern.Sasl.Mechanisms;

/// <summary>
/// ANONYMOUS (RFC 4505): no identity at all, with a trace text that proves nothing. Never offered unless asked for by name; no policy may
/// take it for a login.
/// </summary>
public sealed class AnonymousMechanism : ISaslMechanism
{
    /// <summary>The user of every such login. No account can have this name: it is not a name.</summary>
    public const string User = "(anonymous)";

    /// <summary>The only instance; it holds no state.</summary>
    public static AnonymousMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "ANONYMOUS";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public bool IsOptIn => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.AllowsAnonymous ? new Exchange() : null;

    private sealed class Exchange : ISaslExchange
    {
        /// <summary>§2: at most 255 characters.</summary>
        private const int MaxTrace = 255;

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct) =>
            new(response is { } message ? Answer(message.Span) : new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty));

        private static SaslStep Answer(ReadOnlySpan<byte> message) =>
            StrictUtf8.TryDecode(message, MaxTrace * 4, out var trace)
                && trace.EnumerateRunes().Count() <= MaxTrace
                && !trace.Any(char.IsControl)
                ? new SaslStep.Success(new SaslIdentity(User, User))
                : new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "the trace is not a short text");
    }
}
