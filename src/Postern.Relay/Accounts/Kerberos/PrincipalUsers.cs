using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Kerberos;

/// <summary>
/// Which account a Kerberos principal is. Only a principal of one component in a listed realm is anybody: <c>lisa/admin</c> and
/// <c>host/lisa</c> are not <c>lisa</c>. Case does not matter before the realm, as in every account's name.
/// </summary>
/// <param name="newest">What is configured now, for those who logged in before; null where that does not change.</param>
public sealed class PrincipalUsers(
    ImmutableArray<string> realms, PrincipalAccount kind, AccountVerifiers accounts, Func<KerberosRules?>? newest = null) : IKerberosUsers
{
    public async ValueTask<LoginAnswer> FindPrincipalAsync(string principal, CancellationToken ct)
    {
        if (!TryName(realms, kind, principal, out var account, out var objection))
            return new LoginAnswer.NoMatch($"{principal}: {objection}", UserExists: false);
        var answer = await accounts.IdentifyAsync(account, ct);
        return answer switch
        {
            LoginAnswer.Match match => match with { Authority = new ListedAuthority(() => WhyNoMore(principal, account), match.Authority) },
            LoginAnswer.NoMatch(var reason, var exists) => new LoginAnswer.NoMatch($"{principal}: {reason}", exists),
            _ => answer,
        };
    }

    /// <summary>Why it is that account no more by what is configured now; null where it still is.</summary>
    private string? WhyNoMore(string principal, string account)
    {
        if (newest is null || newest() is not { } now)
            return newest is null ? null : "tickets log in nobody any more";
        return !TryName(now.Realms, now.Account, principal, out var whose, out var objection) ? $"{principal}: {objection} any more"
            : whose != account ? $"{principal} is the account {whose} by now"
            : null;
    }

    private static bool TryName(
        ImmutableArray<string> realms,
        PrincipalAccount kind,
        string principal,
        [NotNullWhen(true)] out string? account,
        [NotNullWhen(false)] out string? objection)
    {
        (account, objection) = (null, null);
        var at = principal.IndexOf('@', StringComparison.Ordinal);

        // A backslash stands before what is part of a name although it looks like a border of one.
        if (at <= 0 || principal.AsSpan().ContainsAny('\\', '/') || principal.AsSpan(at + 1).Contains('@'))
            objection = "a principal with an instance is no account";
        else if (!realms.Contains(principal[(at + 1)..], StringComparer.Ordinal))
            objection = "its realm is not listed";
        else
            account = kind == PrincipalAccount.Name ? principal[..at] : principal;
        return account is not null;
    }
}
