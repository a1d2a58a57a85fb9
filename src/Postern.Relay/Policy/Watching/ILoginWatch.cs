using System.Net;

namespace Postern.Relay.Policy.Watching;

/// <summary>What is known of logins, to be told from what they do when somebody else has their password. Safe from any thread.</summary>
internal interface ILoginWatch
{
    /// <summary>How unlike itself a login is with this, and what is done about it.</summary>
    /// <param name="counts">False in a dry run: nothing is noted.</param>
    /// <returns>Null where nobody knows anything of any login.</returns>
    WatchAnswer? Judge(WatchedLogin login, in Sending sending, WatchLevels levels, bool counts);

    /// <summary>A database of places cannot be read: what it would say is not scored. Told once, until it reads again.</summary>
    void MissPlaces(string path, string? problem);

    /// <summary>A recipient that a login named does not exist.</summary>
    void AddFailure(WatchedLogin login);

    /// <summary>A step is taken: whom it concerns is told, and a suspension begins.</summary>
    void Take(WatchedLogin login, IPAddress client, WatchAnswer answer, WatchLevels levels);
}

/// <summary>Who is watched: one secret of an account, or the account where its secrets have no numbers.</summary>
/// <param name="Credential">As <c>#7</c>; null where it is not known.</param>
internal readonly record struct WatchedLogin(string Account, string? Credential)
{
    public override string ToString() => Account + Credential;

    /// <summary>Null where nobody is logged in.</summary>
    public static WatchedLogin? Of(EnvelopeFacts facts) =>
        (facts.ProvenBy ?? facts.Login) is { } account ? new WatchedLogin(account, facts.ProvenBy is null ? null : facts.Credential) : null;
}

/// <summary>What is done with what a login sends.</summary>
/// <param name="Passes">Of what is slowed: this one is taken.</param>
internal sealed record WatchAnswer(LoginScore Score, WatchStep Step, bool Passes)
{
    public static WatchAnswer Usual { get; } = new(LoginScore.None, WatchStep.None, Passes: true);
}

/// <summary>Where no server runs that knows logins.</summary>
internal sealed class NobodyWatches : ILoginWatch
{
    public static NobodyWatches Instance { get; } = new();

    public WatchAnswer? Judge(WatchedLogin login, in Sending sending, WatchLevels levels, bool counts) => null;

    public void MissPlaces(string path, string? problem)
    {
    }

    public void AddFailure(WatchedLogin login)
    {
    }

    public void Take(WatchedLogin login, IPAddress client, WatchAnswer answer, WatchLevels levels)
    {
    }
}
