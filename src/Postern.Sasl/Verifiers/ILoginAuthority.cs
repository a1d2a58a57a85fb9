namespace Postern.Sasl.Verifiers;

/// <summary>
/// Knows whether a login that went well still holds: the account, the credential that proved it, the grant by which it acts for another.
/// Kept with the login and asked again for as long as that is used, from any thread.
/// </summary>
public interface ILoginAuthority
{
    /// <summary>
    /// Asked before every message, so it should answer from memory while nothing has changed. A store that cannot answer is
    /// <see cref="LoginAnswer.Unavailable"/>, never an exception and never <see cref="LoginAnswer.NoMatch"/>.
    /// </summary>
    ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct);
}

/// <summary>A login that rests on two things, such as a credential and a grant: it holds while both do.</summary>
internal sealed class BothAuthorities(ILoginAuthority first, ILoginAuthority second) : ILoginAuthority
{
    /// <summary>The one that is there, or both; null for none.</summary>
    public static ILoginAuthority? Of(ILoginAuthority? first, ILoginAuthority? second) =>
        first is null ? second : second is null ? first : new BothAuthorities(first, second);

    public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
        await first.ReviewAsync(ct) is var review and not LoginAnswer.Holds ? review : await second.ReviewAsync(ct);
}
