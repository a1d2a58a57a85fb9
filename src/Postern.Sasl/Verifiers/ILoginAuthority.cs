namespace Postern.Sasl.Verifiers;

/// <summary>
/// Knows whether a login that went well still holds: the account, the credential that proved it, the grant by which it acts for another. Kept with the
/// login and asked again for as long as that is used, from any thread.
/// </summary>
public interface ILoginAuthority
{
    /// <summary>
    /// Asked before every message, so it should answer from memory while nothing has changed. A store that cannot answer is
    /// <see cref="LoginAnswer.Unavailable"/>, never an exception and never <see cref="LoginAnswer.NoMatch"/>.
    /// </summary>
    ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct);
}
