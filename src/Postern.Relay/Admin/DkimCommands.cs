using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit.Events;
using Postern.Relay.Dkim;

namespace Postern.Relay.Admin;

/// <summary>
/// Changes the keys that sign mail. A key is made (pending), put to use when DNS shows it (active), kept in DNS a while after another has
/// followed (replaced), and erased (retired).
/// </summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class DkimCommands
{
    private readonly DirectoryChanges changes;

    internal DkimCommands(DirectoryChanges changes) => this.changes = changes;

    /// <summary>Makes a key, or takes the one of <paramref name="imported"/>; without either word one of each algorithm.</summary>
    /// <param name="selector">Null for one made of the date. Where two keys are made it is that of RSA.</param>
    public AdminOutcome Create(string domain, string? selector, DkimAlgorithm? algorithm, DkimKey? imported)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        selector = selector?.ToLowerInvariant();
        if (selector is not null && WhyNoSelector(selector, name) is { } why)
            return new AdminOutcome.Invalid(why);
        if (imported is not null && algorithm is not null && algorithm != imported.Algorithm)
            return new AdminOutcome.Invalid($"the file holds a key of {imported.Algorithm.Word()}, not of {algorithm.Value.Word()}");
        ImmutableArray<DkimAlgorithm> kinds = imported is not null ? [imported.Algorithm]
            : algorithm is { } one ? [one]
            : [DkimAlgorithm.Rsa, DkimAlgorithm.Ed25519];
        ImmutableArray<(DkimKey Key, string? Selector)> keys =
        [
            .. kinds.Select((kind, i) => (
                imported ?? DkimKey.Generate(kind), i == 0 || selector is null ? selector : $"{selector}-{kind.Word()}")),
        ];
        return Change("dkim create", name, sql => Insert(sql, name, keys, isScheduled: false));
    }

    /// <summary>Makes the keys that are to follow those that sign now, one for each algorithm of them.</summary>
    /// <param name="isScheduled">The server puts them to use by itself.</param>
    public AdminOutcome Rotate(string domain, bool isScheduled = false)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        return Change("dkim rotate", name, sql =>
        {
            var rows = SigningKeyRow.Query(sql, name).ToList();
            var kinds = Kinds(rows, SigningKeyRow.IsActive);
            if (kinds.IsEmpty)
                return rows.Count == 0 ? NoKeys(sql, name) : new AdminOutcome.NotFound(
                    $"{name} has no active key that another could follow: postern dkim activate {name}");
            kinds = kinds.RemoveRange(Kinds(rows, SigningKeyRow.IsPending));
            return kinds.IsEmpty
                ? new AdminOutcome.AlreadyThere(
                    $"the keys that follow are made: postern dkim dns {name}, then postern dkim activate {name}")
                : Insert(sql, name, [.. kinds.Select(static kind => (DkimKey.Generate(kind), (string?)null))], isScheduled);
        });
    }

    /// <summary>
    /// Puts pending keys to use, those that DNS shows; keys of the same algorithm that signed before sign no more, and keep their records.
    /// </summary>
    /// <param name="dns">Null: nobody looks, and all are put to use.</param>
    /// <param name="isScheduled">Only those that the server made by itself.</param>
    public async ValueTask<AdminOutcome> ActivateAsync(string domain, DkimDns? dns, CancellationToken ct, bool isScheduled = false)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        var rows = changes.Directory.Read(sql => SigningKeyRow.Query(sql, name).ToList());
        var pending = rows.Where(row => row.State == SigningKeyRow.IsPending && (!isScheduled || row.Scheduled != 0))
            .Select(DkimKeyDetails.Of).ToList();
        if (pending.Count == 0)
            return rows.Count == 0 ? changes.Directory.Read(sql => NoKeys(sql, name))
                : rows.Exists(static row => row.State == SigningKeyRow.IsActive)
                    ? new AdminOutcome.AlreadyThere($"{name} is signed for already, and no key waits to follow")
                    : new AdminOutcome.NotFound($"{name} has no key that could be put to use: postern dkim create {name}");
        var (shown, missing) = (new List<string>(), new List<string>());
        foreach (var key in pending)
        {
            var answer = dns is null ? new DkimDnsAnswer.Shown(IsTesting: false) : await key.LookAsync(dns, ct).ConfigureAwait(false);
            if (answer is DkimDnsAnswer.Shown)
                shown.Add(key.Selector);
            else
                missing.Add($"{key.RecordName}: {answer.Words}");
        }

        var not = missing.Count == 0 ? string.Empty : $"; not in use, as DNS does not show it: {string.Join("; ", missing)}";
        if (shown.Count == 0)
            return new AdminOutcome.NotFound($"{name}: nothing was put to use{not}. What to publish: postern dkim dns {name}");
        return Change("dkim activate", name, sql =>
        {
            var done = shown.Where(selector => Activate(sql, name, selector)).ToHashSet(StringComparer.Ordinal);
            return done.Count == 0
                ? new AdminOutcome.NotFound($"the keys of {name} have changed meanwhile: postern dkim list")
                : Activated(name, SigningKeyRow.Query(sql, name).Where(row => done.Contains(row.Selector)).ToList(), not);
        });
    }

    /// <summary>Of several pending keys of one algorithm the last one signs, and those before it have been followed at once.</summary>
    /// <param name="done">As they are now.</param>
    private static AdminOutcome.Done Activated(string domain, List<SigningKeyRow> done, string not)
    {
        var followed = done.Where(static row => row.State != SigningKeyRow.IsActive).Select(static row => row.Selector).ToList();
        var before = followed.Count == 0 ? string.Empty
            : $"; {string.Join(" and ", followed)}, made before, {(followed.Count == 1 ? "signs" : "sign")} nothing: "
                + $"postern dkim retire {domain}";
        var active = done.Where(static row => row.State == SigningKeyRow.IsActive).Select(static row => row.Selector);
        return new AdminOutcome.Done($"{domain} is signed for by {string.Join(" and ", active)} from now on{before}{not}")
        {
            Changes = [.. done.Select(static row => new AdminChange(row.Selector, SigningKeyRow.IsPending, row.State))],
        };
    }

    /// <summary>Erases the private keys that others have followed, or the one of <paramref name="selector"/> whatever its state.</summary>
    public AdminOutcome Retire(string domain, string? selector)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        return Change("dkim retire", name, sql =>
        {
            var rows = SigningKeyRow.Query(sql, name).ToList();
            var meant = rows.Where(
                row => row.State != SigningKeyRow.IsRetired
                    && (selector is null ? row.State == SigningKeyRow.IsReplaced : Is(row.Selector, selector))).ToList();
            if (meant.Count == 0)
                return rows.Count == 0 ? NoKeys(sql, name)
                    : selector is not null ? NoSelector(rows, name, selector)
                    : new AdminOutcome.NotFound(
                        $"no key of {name} has been replaced by another: first postern dkim rotate and activate, "
                            + "or name one by --selector");
            foreach (var row in meant)
                sql.Execute(
                    """
                    update dkim_keys set state = 'retired', private_key = null, retired_at = @Now
                    where domain = @name and selector = @Selector
                    """,
                    new { changes.Now, name, row.Selector });
            return new AdminOutcome.Done(
                $"retired: {string.Join(", ", meant.Select(static m => m.Selector))}; when mail that it signed has arrived, "
                    + $"take out of DNS: {string.Join(", ", meant.Select(m => DkimRecord.NameOf(name, m.Selector)))}")
            {
                Changes = [.. meant.Select(static m => new AdminChange(m.Selector, m.State, SigningKeyRow.IsRetired))],
            };
        });
    }

    /// <summary>
    /// Forgets all keys of a domain, or the one of <paramref name="selector"/>. Without an active one its mail leaves unsigned.
    /// </summary>
    public AdminOutcome Remove(string domain, string? selector)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        return Change("dkim remove", name, sql =>
        {
            var rows = SigningKeyRow.Query(sql, name).ToList();
            var meant = rows.Where(row => selector is null || Is(row.Selector, selector)).ToList();
            if (meant.Count == 0)
                return rows.Count == 0 ? NoKeys(sql, name) : NoSelector(rows, name, selector!);
            foreach (var row in meant)
                sql.Execute("delete from dkim_keys where domain = @name and selector = @Selector", new { name, row.Selector });
            var leavesUnsigned = rows.Except(meant).All(static row => row.State != SigningKeyRow.IsActive);
            return new AdminOutcome.Done(
                $"removed: {string.Join(", ", meant.Select(static m => m.Selector))}"
                    + (leavesUnsigned ? $"; mail of {name} is signed no more" : string.Empty))
            {
                Changes = [.. meant.Select(static m => new AdminChange(m.Selector, m.State, After: null))],
            };
        });
    }

    private AdminOutcome Change(string action, string domain, Func<SqliteConnection, AdminOutcome> change) =>
        changes.Change(action, domain, change);

    private AdminOutcome Insert(
        SqliteConnection sql, string domain, ImmutableArray<(DkimKey Key, string? Selector)> keys, bool isScheduled)
    {
        var rows = SigningKeyRow.Query(sql, domain).ToList();
        var taken = rows.Select(static row => row.Selector).ToHashSet(StringComparer.Ordinal);
        var waiting = rows.Where(row => row.State == SigningKeyRow.IsPending && keys.Any(k => k.Key.Algorithm.Word() == row.Algorithm))
            .Select(static row => row.Selector).ToList();
        var made = new List<string>();
        foreach (var (key, wanted) in keys)
        {
            var selector = wanted ?? Free(taken, key.Algorithm);
            if (!taken.Add(selector))
                return new AdminOutcome.Invalid(
                    $"{domain} has a key of the selector {selector}; a selector is never used twice, "
                        + "as verifiers may still have its record");
            sql.Execute(
                """
                insert into dkim_keys (domain, selector, algorithm, bits, private_key, public_key, state, scheduled, created_at)
                values (@domain, @selector, @algorithm, @Bits, @privateKey, @publicKey, 'pending', @isScheduled, @Now)
                """,
                new
                {
                    domain,
                    selector,
                    algorithm = key.Algorithm.Word(),
                    key.Bits,
                    privateKey = key.ToPkcs8(),
                    publicKey = key.PublicKey.ToArray(),
                    isScheduled,
                    changes.Now,
                });
            made.Add(selector);
        }

        return new AdminOutcome.Done(
            $"{domain}: made {string.Join(" and ", made)}; publish {(made.Count > 1 ? "their records" : "its record")}, "
                + $"then: postern dkim activate {domain}"
                + (waiting.Count == 0 ? string.Empty
                    : $". {string.Join(" and ", waiting)} of before wait too; of keys of one algorithm the last one signs"))
        {
            Changes = [.. made.Select(static selector => new AdminChange(selector, Before: null, SigningKeyRow.IsPending))],
        };
    }

    private bool Activate(SqliteConnection sql, string domain, string selector)
    {
        var arguments = new { changes.Now, domain, selector };
        if (sql.Execute(
            """
            update dkim_keys set state = 'active', activated_at = @Now
            where domain = @domain and selector = @selector and state = 'pending'
            """,
            arguments) == 0)
            return false;
        sql.Execute(
            """
            update dkim_keys set state = 'replaced', replaced_at = @Now
            where domain = @domain and selector <> @selector and state = 'active'
                and algorithm = (select algorithm from dkim_keys where domain = @domain and selector = @selector)
            """,
            arguments);
        return true;
    }

    /// <summary>A selector of today's date and the algorithm's first letter, that no key of the domain has or had.</summary>
    private string Free(HashSet<string> taken, DkimAlgorithm algorithm)
    {
        var usual = string.Create(CultureInfo.InvariantCulture, $"p{changes.UtcNow.UtcDateTime:yyyyMMdd}{algorithm.Word()[0]}");
        for (var i = 1; ; i++)
        {
            var selector = i == 1 ? usual : string.Create(CultureInfo.InvariantCulture, $"{usual}{i}");
            if (!taken.Contains(selector))
                return selector;
        }
    }

    private static ImmutableArray<DkimAlgorithm> Kinds(IEnumerable<SigningKeyRow> rows, string state) =>
    [
        .. rows.Where(row => row.State == state).Select(static row => DkimAlgorithms.Find(row.Algorithm)).OfType<DkimAlgorithm>()
            .Distinct(),
    ];

    private static bool Is(string selector, string wanted) => selector.Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static string? WhyNoSelector(string selector, string domain) =>
        selector.Length > 0
        && selector.Split('.').All(static label => label.Length is > 0 and <= 63 - 8
            && label.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-') && label[0] != '-' && label[^1] != '-')
        && DkimRecord.NameOf(domain, selector).Length <= 240
            ? null
            : $"'{selector}' is no selector: letters, digits and hyphens, such as mail2026, at most 55";

    private static AdminOutcome.NotFound NoKeys(SqliteConnection sql, string domain)
    {
        var nearest = Accounts.NearestName.Hint(domain, sql.Query<string>("select distinct domain from dkim_keys"));
        return new AdminOutcome.NotFound($"{domain} has no DKIM key{nearest}; to make one: postern dkim create {domain}");
    }

    private static AdminOutcome.NotFound NoSelector(List<SigningKeyRow> rows, string domain, string selector) => new(
        rows.Find(row => Is(row.Selector, selector)) is not null
            ? $"the key {selector} of {domain} is retired already"
            : $"{domain} has no key of the selector {selector}: it has {string.Join(", ", rows.Select(static row => row.Selector))}");
}
