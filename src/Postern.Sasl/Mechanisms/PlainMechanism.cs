namespace Postern.Sasl.Mechanisms;

/// <summary>PLAIN (RFC 4616): <c>[authzid] NUL authcid NUL passwd</c> in one message.</summary>
public sealed class PlainMechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static PlainMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "PLAIN";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) =>
        context.Passwords is null ? null : new Exchange(new RevealedPassword(context));

    private sealed class Exchange(RevealedPassword login) : ISaslExchange
    {
        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (response is not { } message)
                return new(new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty));

            var octets = message.Span;
            var first = octets.IndexOf((byte)0);
            if (first < 0)
                return new(Malformed("no NUL in the message"));
            var second = octets[(first + 1)..].IndexOf((byte)0);
            if (second < 0)
                return new(Malformed("one NUL in the message, two needed"));
            second += first + 1;
            if (octets[(second + 1)..].Contains((byte)0))
                return new(Malformed("more than two NULs in the message"));

            return login.CheckAsync(
                authorizationId: message[..first],
                authenticationId: message[(first + 1)..second],
                password: message[(second + 1)..],
                ct);
        }

        private static SaslStep Malformed(string reason) => new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, reason);
    }
}
