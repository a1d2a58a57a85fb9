using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Smtp.Authentication;

/// <summary>
/// What an authenticator decides. Its kind fixes the reply code and the enhanced status (RFC 4954 §6); only the words may be chosen, as an
/// <see cref="OutcomeText"/>, and a text that is none is an <see cref="ArgumentException"/> where the result is made.
/// </summary>
public abstract record AuthenticationResult
{
    private AuthenticationResult(string? text) => Text = text is null ? null : new OutcomeText(text);

    /// <summary>Words for the client; null for the standard ones.</summary>
    public OutcomeText? Text { get; }

    /// <summary>The client is who it says: 235 2.7.0, unless it wants to act as somebody it may not.</summary>
    public sealed record Accepted : AuthenticationResult
    {
        /// <param name="user">
        /// The canonical name, which every later decision goes by; null for the name that came with the password.
        /// </param>
        /// <param name="loginData">Kept as <see cref="Session.SessionState.LoginData"/>.</param>
        /// <param name="text">As <see cref="AuthenticationResult.Text"/>.</param>
        /// <exception cref="ArgumentException">The name is empty or holds control characters, or the text is none.</exception>
        public Accepted(string? user = null, object? loginData = null, string? text = null)
            : base(text)
        {
            if (user is "" || (user is not null && user.Any(char.IsControl)))
                throw new ArgumentException("a user has a name without control characters", nameof(user));
            User = user;
            LoginData = loginData;
        }

        /// <summary>The canonical name; null for the name that came with the password.</summary>
        public string? User { get; }

        /// <summary>Kept with the session; not printed.</summary>
        public object? LoginData { get; }

        /// <summary>
        /// Asked at each MAIL and before each message is stored whether the login still holds; null where it holds as long as the session.
        /// </summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>The user, and nothing of what is kept.</summary>
        public override string ToString() => $"accepted {User}";
    }

    /// <summary>Wrong, unknown or disabled: 535 5.7.8. Words that differ by the reason tell a stranger which users exist.</summary>
    public sealed record Refused : AuthenticationResult
    {
        /// <param name="text">As <see cref="AuthenticationResult.Text"/>.</param>
        public Refused(string? text = null)
            : base(text)
        {
        }

        /// <summary>For the audit trail only.</summary>
        public string Reason { get; init; } = "refused by the authenticator";

        /// <summary>False, and the name is masked in audit trails: people type passwords there.</summary>
        public bool UserExists { get; init; }
    }

    /// <summary>Nobody can say now: 454 4.7.0. The client tries again later, and does not ask its user.</summary>
    public sealed record Unavailable : AuthenticationResult
    {
        /// <param name="text">As <see cref="AuthenticationResult.Text"/>.</param>
        public Unavailable(string? text = null)
            : base(text)
        {
        }

        /// <summary>For the audit trail only.</summary>
        public string Reason { get; init; } = "the authenticator cannot answer";
    }

    /// <summary>
    /// This user has to log in by a stronger mechanism: 534 5.7.9. It tells that the user exists: for a right password only.
    /// </summary>
    public sealed record TooWeak : AuthenticationResult
    {
        /// <param name="text">As <see cref="AuthenticationResult.Text"/>.</param>
        public TooWeak(string? text = null)
            : base(text)
        {
        }
    }

    /// <summary>
    /// This mechanism works once the user has logged in by another: 432 4.7.12. It tells that the user exists: for a right password only.
    /// </summary>
    public sealed record TransitionNeeded : AuthenticationResult
    {
        /// <param name="text">As <see cref="AuthenticationResult.Text"/>.</param>
        public TransitionNeeded(string? text = null)
            : base(text)
        {
        }
    }
}
