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

    /// <summary>
    /// The same, for verifiers that ask somebody elsewhere who wants to know more of the client than its address. Left out, nobody does.
    /// </summary>
    ValueTask<LoginAnswer> CheckAsync(
        string user, ReadOnlyMemory<byte> password, string? peer, SaslConnection? connection, CancellationToken ct) =>
        CheckAsync(user, password, peer, ct);
}

/// <summary>Password verifiers made of functions.</summary>
public static class PasswordVerifier
{
    /// <summary>
    /// A verifier from a function of user and password: true is a match, and the user's name is canonical as the client wrote it. An
    /// exception counts as a store that cannot answer (454 in SMTP), never as a wrong password; only its type reaches the audit trail,
    /// for its text may hold what the client sent. An unknown user should cost the time of a wrong password.
    /// </summary>
    public static IPasswordVerifier From(Func<string, Password, CancellationToken, ValueTask<bool>> check) => new FunctionVerifier(check);

    private sealed class FunctionVerifier(Func<string, Password, CancellationToken, ValueTask<bool>> check) : IPasswordVerifier
    {
        // Whether the user exists is not known here: its name is masked in audit trails.
        private static readonly LoginAnswer NoMatch = new LoginAnswer.NoMatch("wrong user or password", UserExists: false);

        public async ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
        {
            try
            {
                return await check(user, new Password(password), ct) ? new LoginAnswer.Match(user) : NoMatch;
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                return new LoginAnswer.Unavailable($"the check threw {e.GetType().Name}");
            }
        }
    }
}
