using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>SCRAM: the stored half of a login, for exchanges in which the client proves that it knows the password and never shows it.</content>
public sealed partial class AccountVerifiers : IScramSecrets
{
    /// <summary>Some user of some store may have a secret of this kind.</summary>
    public bool Serves(HashAlgorithmName algorithm) => Can(ScramHash.FormOf(algorithm));

    /// <summary>
    /// A challenge names one salt, so one credential is asked for: the newest that has not expired. An account whose password is another
    /// credential's logs in by PLAIN or LOGIN.
    /// </summary>
    public async ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch("the user name is not one that an account can have", UserExists: false);
        if (protection?.WhyNot(canonical, peer) is { } pause)
            return new LoginAnswer.Unavailable(pause);
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known(var login) => Secret(login, algorithm),
            StoreAnswer.Unknown(var decoy) => new LoginAnswer.NoMatch(UnknownUser) { User = decoy.User },
            StoreAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable(Said(store, reason)),
            _ => new LoginAnswer.Unavailable("no account store is configured"),
        };
    }

    /// <summary>As for passwords that were shown; a proof is never the same twice, so each wrong one counts.</summary>
    public async ValueTask<LoginAnswer> BeginProofAsync(string user, string? peer, CancellationToken ct)
    {
        if (protection is null)
            return LoginAnswer.Judge.Always;
        var turn = await protection.EnterAsync(BudgetNameOf(user), peer, ct);
        return turn.Admission switch
        {
            LoginAdmission.Check => new LoginAnswer.Judge(turn),
            LoginAdmission.Close => new LoginAnswer.TooMany(turn.Reason),
            _ => new LoginAnswer.Unavailable(turn.Reason),
        };
    }

    /// <summary>Settles what <see cref="BeginProofAsync"/> took.</summary>
    public void OnProof(LoginAnswer.Judge turn, bool isProven, bool isUser)
    {
        if (turn.State is LoginTurn taken)
            protection?.Settle(taken, isProven ? LoginOutcome.Right : LoginOutcome.Wrong, isUser: isUser);
    }

    private LoginAnswer Secret(StoredLogin login, HashAlgorithmName algorithm) =>
        NewestOf(login, ScramHash.FormOf(algorithm)) is { } credential && SecretOf(login, credential.Hash, algorithm) is { } secret
            ? new LoginAnswer.Found<ScramSecret>(login.User, secret, login.Refusal) { Authority = AuthorityOf(login, credential) }
            : new LoginAnswer.NoMatch(Lacks(login, $"{ScramHash.NameOf(algorithm)} needs a secret of that kind, or a shared one"), UserExists: true) { User = login.User };

    private ScramSecret? SecretOf(StoredLogin login, PasswordHash stored, HashAlgorithmName algorithm) => stored switch
    {
        ScramHash hash => new ScramSecret(algorithm, hash.Iterations, hash.Salt, hash.StoredKey, hash.ServerKey),
        SharedHash shared => shared.Scram(login.User, algorithm, Decoys),
        _ => null,
    };
}
