using System.Collections.Immutable;
using Postern.Relay.Accounts.Verifiers;

namespace Postern.Commands.Auth;

/// <summary>What to do about a login that does not come out as it should: the first cause first, with the command that mends it.</summary>
internal static class LoginAdvice
{
    public static ImmutableArray<string> For(AuthTestDocument document, ImmutableArray<StoreVisit> visits, DateTimeOffset now) =>
        [.. Sentences(document, visits, now)];

    private static IEnumerable<string> Sentences(AuthTestDocument document, ImmutableArray<StoreVisit> visits, DateTimeOffset now)
    {
        if (document.Name is not { } name)
        {
            yield return "No account can have this name: it is empty, too long, or has characters that do not show. Type it anew.";
            yield break;
        }

        foreach (var visit in visits.Where(static v => v.Word == StoreWord.CannotAnswer))
            yield return $"Mend {visit.Store}, and see whether it answers: postern check --live";
        if (document.Protection is { Blocks.IsEmpty: false })
            yield return $"The server slows or pauses logins of {name}; when it is known who tried: postern auth lift {name}";
        if (document.Ok)
        {
            if (document.Attempts.All(static a => !a.Ok || a.Offered == AuthTestDocument.Nowhere))
                yield return "It logs in, and no listener offers that mechanism: name it in 'mechanisms' of one.";
            yield break;
        }

        foreach (var sentence in OfTheUser(document, visits, name, now))
            yield return sentence;
    }

    private static IEnumerable<string> OfTheUser(
        AuthTestDocument document, ImmutableArray<StoreVisit> visits, string name, DateTimeOffset now)
    {
        if (visits.FirstOrDefault(static v => v.Word == StoreWord.Knows) is not { Login: { } login, Store: var store })
        {
            if (visits.Any(static v => v.Word == StoreWord.GivesRights))
                yield return $"The account has no password yet: postern credential add {name}";
            else if (visits.All(static v => v.Word != StoreWord.CannotAnswer))
                yield return Unknown(document, visits, name);
            yield break;
        }

        var isOurs = store == "directory";
        if (login.IsDisabled || document.Account is { Enabled: false })
        {
            yield return document.Account?.Store is { } other
                ? $"The account is disabled in {other}: enable it there"
                : $"The account is disabled: postern account enable {name}";
            yield break;
        }

        if (login.Credentials.Length > 0 && login.Credentials.All(c => c.ExpiresAt <= now))
            yield return isOurs
                ? $"Every password of the account has expired: postern credential add {name}"
                : $"Every password of the account has expired: give it another in {store}";
        else if (document.Attempts.Any(static a => a.Reply.StartsWith("454", StringComparison.Ordinal)))
            yield return $"Nobody could say whether the password is right. Mend {store}, and see whether it answers: postern check --live";
        else if (login.IsPresumed && document.Attempts.Length > 0)
            yield return $"{store} does not take it, and whether it knows the name it does not say: its own log may";
        else if (document.Attempts.Length > 0)
            yield return isOurs
                ? $"The account is there and its password is another one. If nobody knows it: postern credential add {name} --generate"
                : $"The account is there and its password is another one: it is kept in {store}, and changed there";
    }

    private static string Unknown(AuthTestDocument document, ImmutableArray<StoreVisit> visits, string name)
    {
        var passed = visits.Where(static v => v.Word == StoreWord.NotAsked).Select(static v => v.Store).ToList();
        return $"Nobody has this name on {string.Join(", ", document.Listeners)}: "
            + (passed.Count == 0
                ? $"postern account add {name}, or look for it where the other accounts are"
                : $"{string.Join(", ", passed)} was not asked (its key 'logins'); or postern account add {name}");
    }
}
