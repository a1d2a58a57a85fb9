namespace Postern.Sasl.Verifiers;

/// <summary>Checks a password that the client revealed.</summary>
public interface IPasswordVerifier
{
    /// <summary>
    /// Checks <paramref name="password"/> (UTF-8 octets as the client sent them, at least one) for <paramref name="user"/>.
    /// An unknown user must cost the time of a wrong password. A store that cannot answer is
    /// <see cref="LoginAnswer.Unavailable"/>, never an exception and never a mismatch. The memory is valid only until the
    /// task completes. <paramref name="peer"/> is the client's address, for budgets; null when unknown.
    /// </summary>
    ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct);
}
