using Postern.Sasl.Verifiers;

namespace Postern.Sasl;

/// <summary>What the server half answers to one response: another challenge, or the end.</summary>
public abstract record SaslStep
{
    private SaslStep()
    {
    }

    /// <summary>The exchange goes on; <paramref name="Data"/> is not yet base64-encoded and may be empty.</summary>
    public sealed record Challenge(ReadOnlyMemory<byte> Data) : SaslStep
    {
        /// <summary>
        /// The exchange has failed already, and this challenge only tells the client why, as that of a bearer token does (RFC 7628 §3.2.3):
        /// whatever the client answers, and also when it leaves, this is how it ended. Null while nothing is decided.
        /// </summary>
        public Failure? Verdict { get; init; }
    }

    /// <summary>
    /// The client is who <paramref name="Identity"/> says. <paramref name="Data"/> is additional data with the outcome (RFC 4422 §3.6): a
    /// protocol whose success reply cannot carry it sends it as one more challenge, which the client answers with an empty response.
    /// </summary>
    public sealed record Success(SaslIdentity Identity, ReadOnlyMemory<byte>? Data = null) : SaslStep
    {
        /// <summary>Words for the client; null for the protocol's own.</summary>
        public OutcomeText? Text { get; init; }

        /// <summary>What the program wants to remember of this login; it is nobody else's business and is not printed.</summary>
        public object? LoginData { get; init; }

        /// <summary>
        /// Whether the login still holds, for as long as the login is used; null where nobody can say, and then it holds.
        /// </summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>
        /// Which of the user's secrets proved it, by a name that tells nothing of it; null where nobody can say, or it was no secret.
        /// </summary>
        public string? Credential { get; init; }

        /// <summary>Who logged in, and nothing of what is remembered with it.</summary>
        public override string ToString() => Identity.ToString();
    }

    /// <summary>
    /// The exchange is over without success. <paramref name="ClaimedUser"/> is what the client called itself, as far as it got;
    /// <paramref name="Reason"/> and <paramref name="UserExists"/> are for the audit trail and never for the client.
    /// </summary>
    public sealed record Failure(SaslError Error, string? ClaimedUser, string Reason, bool UserExists = false) : SaslStep
    {
        /// <summary>Words for the client; null for the protocol's own, which say the same for every reason.</summary>
        public OutcomeText? Text { get; init; }

        /// <summary>
        /// Which of the user's secrets was right and may not be used (<see cref="LoginAnswer.NoMatch.Credential"/>); for the audit trail.
        /// </summary>
        public string? Credential { get; init; }

        /// <summary>
        /// How an exchange ends that does not log in; the only place where answers become errors. An answer that is none logs nobody in.
        /// </summary>
        /// <param name="claimed">What the client called itself; null when it did not.</param>
        public static Failure Of(LoginAnswer? answer, string? claimed) => answer switch
        {
            LoginAnswer.NoMatch(var reason, var exists) { Credential: var credential } =>
                new(SaslError.BadCredentials, claimed, reason, exists) { Text = answer.Text, Credential = credential },
            LoginAnswer.Refused(var error, var reason) => new(error, claimed, reason, UserExists: true) { Text = answer.Text },
            { WhyOpen: { } reason } => new(SaslError.TemporaryFailure, claimed, reason) { Text = answer.Text },
            LoginAnswer.TooMany(var reason) => new(SaslError.TooMany, claimed, reason) { Text = answer.Text },
            _ => new(SaslError.BadCredentials, claimed, "the store gave no answer"),
        };
    }

    internal SaslStep With(LoginAnswer.Match match) =>
        this is Success success
            ? success with
            {
                Text = match.Text,
                LoginData = success.LoginData ?? match.LoginData,
                Authority = BothAuthorities.Of(match.Authority, success.Authority),
                Credential = match.Credential,
            }
            : this;
}

/// <summary>
/// Who authenticated (<paramref name="AuthenticationId"/>) and on whose behalf it acts (<paramref name="AuthorizationId"/>),
/// both in the canonical form of the store. Every later decision keys on the authorization id (RFC 4422 §3.4.1).
/// </summary>
public sealed record SaslIdentity(string AuthenticationId, string AuthorizationId);
