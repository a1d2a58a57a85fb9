namespace Postern.Sasl.Mechanisms;

/// <summary>
/// LOGIN (an expired draft, still what old devices speak): user name, then password, each after a prompt. The prompts are the
/// two strings that every client accepts.
/// </summary>
public sealed class LoginMechanism : ISaslMechanism
{
    private static readonly SaslStep AskUser = new SaslStep.Challenge("Username:"u8.ToArray());
    private static readonly SaslStep AskPassword = new SaslStep.Challenge("Password:"u8.ToArray());

    /// <summary>The only instance; it holds no state.</summary>
    public static LoginMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "LOGIN";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) =>
        context.Passwords is null ? null : new Exchange(new RevealedPassword(context));

    private sealed class Exchange(RevealedPassword login) : ISaslExchange
    {
        private ReadOnlyMemory<byte>? user;

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (response is not { } message)
                return new(AskUser);
            if (user is { } name)
                return login.CheckAsync(authorizationId: default, name, message, ct);
            user = message.ToArray();
            return new(AskPassword);
        }
    }
}
