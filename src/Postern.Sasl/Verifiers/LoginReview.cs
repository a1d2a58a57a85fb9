namespace Postern.Sasl.Verifiers;

/// <summary>What has become of a login.</summary>
public abstract record LoginReview
{
    private LoginReview()
    {
    }

    /// <summary>Everything that it rests on is as it was.</summary>
    public sealed record Holds : LoginReview
    {
        private Holds()
        {
        }

        /// <summary>The one there is.</summary>
        public static Holds Instance { get; } = new();
    }

    /// <summary>The account, the credential or the grant is there no more, or its time is up: whoever uses the login has to log in again. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Gone(string Reason) : LoginReview;

    /// <summary>It cannot be said now: nothing may be done in its name meanwhile. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Unavailable(string Reason) : LoginReview;
}
