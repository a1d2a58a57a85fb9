using Postern.Configuration.Reading;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl;

namespace Postern.Configuration;

/// <summary>One entry of <c>accounts</c>: a store that knows users. Which keys it has, the kind of store says.</summary>
/// <param name="Source">As the kind of store has read it.</param>
/// <param name="Realm">Null for that of the others.</param>
internal sealed record AccountSourceOptions(AccountSource Source, string? Realm)
{
    /// <summary>The key that an entry without keys stands for.</summary>
    public const string Shorthand = "uri";

    /// <summary>The built-in database.</summary>
    public static AccountSourceOptions Directory { get; } = new(new AccountSource("directory", string.Empty), Realm: null);

    /// <summary>What the store is called.</summary>
    public string Uri => Source.Uri;

    public static AccountSourceOptions Read(Section section)
    {
        var byKey = section.Has(Shorthand) ? null : AccountStores.All.FirstOrDefault(kind => kind.Key is { } key && section.Has(key));
        var uri = byKey?.Word
            ?? section.Required(
                Shorthand,
                Kinds.Text,
                "`directory`: the built-in database. `file:///path`: `user:password` a line, "
                    + "the password as it is or as `postern passwd` stores it. `digest:///path`: `user:realm:hash` a line, "
                    + "as `htdigest` and `postern passwd` write it. Files are read again when they change. "
                    + "`sqlite:///path`, `postgres://user@host/database`, `mysql://user@host/database`: whom `query` finds there. "
                    + "`dovecot:/run/dovecot/auth-client`: whom a [Dovecot](stores.md#users-of-a-dovecot) logs in. "
                    + "`pam:SERVICE`: whom PAM's modules take. `smtp://host:port`, `smtps://host:port`: a login at that mail server. "
                    + "`https://host/path`: whom a [service](stores.md#users-of-a-service-over-http) knows. "
                    + "`vault://mount/path`: a secret a user in [Vault or OpenBao](stores.md#users-in-vault-or-openbao). "
                    + "`ldap://host/base`, `ldaps://host/base`: whom `filter` finds below the base. "
                    + "Left out where an entry has `users`.");
        var realm = section.Value<string?>(
            "realm",
            Kinds.Text!,
            fallback: null,
            "that of the other entries, else `server.hostname`",
            "The realm of DIGEST-MD5. It is part of every stored hash: set it, so that another host name does not make them all useless. "
                + "One for all entries: most clients take the first that is offered.");
        if (realm is not null && realm.AsSpan().ContainsAny(':', '"', '\\'))
            section.Report("realm", "a realm with a colon, a quotation mark or a backslash");
        var logins = ReadLogins(section);
        if (section.IsDescribing)
            Describe(section);
        if (uri is null)
            return new(new AccountSource(uri!, string.Empty), realm);
        var source = new AccountSource(uri, realm ?? string.Empty) { Logins = logins };
        if (AccountStores.WhyNot(source) is { } problem)
        {
            section.Report(Shorthand, problem);
            section.PassOverTheRest();
            return new(source, realm);
        }

        var kind = AccountStores.Of(source)!;
        if (!kind.AnswersFromMemory)
            source = source with { Terms = ReadTerms(section, kind.UsualTimeout) };
        return new(kind.Read(new StoreSection(section, kind), source), realm);
    }

    /// <param name="realm">Where the entry names none.</param>
    public AccountSource ToSource(string realm) => Source with { Realm = Realm ?? realm };

    /// <summary>Null for all, and where they are wrong.</summary>
    private static LoginPatterns? ReadLogins(Section section)
    {
        var texts = section.List(
            "logins",
            Kinds.Text,
            [],
            "all",
            "Only logins of these names are asked for here: `\"@example.org\"`, `\"@.example.org\"` for every domain below it, "
                + "a whole name, or one with a star for any characters. To all others this store does not exist, whether it answers or "
                + "not.");
        if (section.HasEmptyList("logins"))
            section.Report("logins", "a store that nobody is asked for", "at least one, or the key left out for all");
        if (texts.IsEmpty)
            return null;
        var patterns = LoginPatterns.Parse(texts, out var problem);
        if (problem is not null)
            section.Report("logins", problem, "such as \"@example.org\", \"@.example.org\", lisa or \"robot-*\"");
        return patterns;
    }

    /// <summary>The keys of every kind there is.</summary>
    private static void Describe(Section section)
    {
        if (AccountStores.All.Any(static kind => !kind.AnswersFromMemory))
            ReadTerms(section, new StoreTerms().Timeout);
        foreach (var kind in AccountStores.All)
            kind.Read(new StoreSection(section, kind), new AccountSource(kind.Word, string.Empty));
    }

    /// <summary>The same for every store that is asked over a network.</summary>
    private static StoreTerms ReadTerms(Section section, TimeSpan timeout)
    {
        var usual = new StoreTerms();
        var terms = usual with
        {
            Timeout = section.Value(
                "timeout",
                Kinds.Duration,
                timeout,
                "`2s`; `5s` for `dovecot:`",
                "Of a store that is asked over a network: how long one question may take. Then it counts as not answered."),
            OnOutage = section.Value(
                "on_outage",
                Kinds.Word(("fail", OnOutage.Fail), ("next", OnOutage.Next)),
                usual.OnOutage,
                "`fail`",
                "Of such a store: what becomes of logins while it cannot answer. `fail`: 454. `next`: the stores behind it are asked; "
                    + "whom they do not log in is still told 454, for this one might have known him."),
            MostQuestions = section.Value(
                "pool",
                Kinds.Count,
                usual.MostQuestions,
                "`50`",
                "Of such a store: questions that are under way at most. Others wait for a turn, for half of `timeout`; "
                    + "then the answer is 454."),
            Decoy = ReadDecoy(section),
        };
        return section.Child("cache", cache => ReadCache(cache, terms), "What is remembered of a store that is asked over a network.");
    }

    /// <summary>Null for none, and where it is wrong.</summary>
    private static Secret? ReadDecoy(Section section)
    {
        var decoy = section.Secret(
            "decoy",
            "Of such a store that holds hashes: a hash of nobody's password, of the kind that is there, as `postern hash` or the other "
                + "program makes it. A login by a name that nobody has costs as much from the start on; without it, from the first user on "
                + "that is looked up.");
        if (decoy is null || PasswordHash.Parse(decoy.Reveal()).Cost.Units > 0)
            return decoy;
        section.Report("decoy", "it is no hash that is known here", "a stored form, such as `postern hash` prints");
        return null;
    }

    private static StoreTerms ReadCache(Section cache, StoreTerms terms)
    {
        var ttl = cache.Value(
            "ttl",
            Kinds.Duration,
            terms.Remember,
            "`1m`",
            "How long an answer, and a password that was right, is remembered: so long does a user go on who was taken away there.");
        var remembered = terms with
        {
            Remember = ttl,
            RememberNobody = cache.Value(
                "negative_ttl",
                Kinds.Duration,
                ttl < terms.RememberNobody ? ttl : terms.RememberNobody,
                "`10s`, or `ttl` where that is shorter",
                "How long it is remembered that nobody has a name. Who was added meanwhile logs in at once all the same."),
            Capacity = cache.Value(
                "capacity",
                Kinds.Count,
                terms.Capacity,
                "`10000`",
                "Users that are remembered at most, and so many names that nobody has."),
            StaleOnOutage = cache.Value(
                "stale_on_outage",
                Kinds.Duration,
                terms.StaleOnOutage,
                "never",
                "While the store cannot answer, users log in by what it said of them, if that is no older than this: so long may a "
                    + "password go on that was changed, and a user who was taken away. Whom that does not log in is still told 454; "
                    + "the log says of each login by what it was."),
        };
        if (remembered.StaleOnOutage > TimeSpan.Zero && remembered.StaleOnOutage <= remembered.Remember)
            cache.Report("stale_on_outage", "so long is everything remembered anyway (ttl)", "a longer time than ttl");
        return remembered;
    }
}
