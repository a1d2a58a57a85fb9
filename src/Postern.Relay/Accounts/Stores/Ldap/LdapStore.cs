using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// Users in an LDAP server or Active Directory. The entry is searched for, and the password is right where a bind as it succeeds; or what
/// the entry has of passwords is read; or there is a bind without a search.
/// </summary>
internal sealed class LdapStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = KindOf("ldap", "ldap://ldap.example.org/ou=people,dc=example,dc=org") with
    {
        SharesKeysWith = ["ldaps", "ldapi"],
    };

    public static readonly AccountStoreKind SecureKind = KindOf("ldaps", "ldaps://ldap.example.org/ou=people,dc=example,dc=org");

    public static readonly AccountStoreKind LocalKind = KindOf("ldapi", "ldapi://%2Frun%2Fslapd%2Fldapi/ou=people,dc=example,dc=org");

    /// <summary>A name that was found for longer may be another one by now.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly LdapSource source;
    private readonly TimeProvider clock;
    private readonly LdapServers servers;
    private readonly LdapFilter filter;
    private readonly LdapGroups groups;
    private readonly LdapSearch search;
    private readonly Lock gate = new();
    private readonly BoundedMap<(string Dn, long At)> names;

    private LdapStore(LdapSource source, TimeProvider clock)
    {
        this.source = source;
        this.clock = clock;
        servers = new LdapServers(source, clock);
        filter = LdapFilter.Parse(source.Filter, out _)!;
        groups = new LdapGroups(source);
        names = new(Math.Max(1, source.Terms.Capacity));
        search = new LdapSearch(
            source.Address!.Base, source.Scope, filter, LdapUser.Asked(source, filter), MostEntries: 2, SecondsOf(source));
    }

    public string Name => source.Uri;

    public StoredForms Forms => FormsOf(source);

    /// <summary>What entries hold is seen user by user; a listener may name more.</summary>
    public StoredForms CommonForms => StoredForms.Password;

    public string Realm => source.Realm;

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        source.Dn is null ? (await LookUpAsync(user, ct)).Answer
        : LdapBindName.Of(source.Dn, user) is null ? StoredLogin.Nobody
        : new StoredLogin(user, refusal: null, []) { IsCheckedByStore = true, IsPresumed = true }.ToAnswer();

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct)
    {
        // A bind without a password is nobody's, and succeeds (RFC 4513 §5.1.2). One with NUL ends there for some servers.
        if (password.Octets.IsEmpty || password.Octets.Span.Contains((byte)0))
            return new LoginAnswer.NoMatch("an empty password, or one with NUL, binds nobody", UserExists: source.Dn is null);
        if (source.Dn is { } template)
            return LdapBindName.Of(template, user) is { } name ? await BindAsync(user, name, password, ct) : StoredLogin.Nobody;
        if (Recall(user) is not var (dn, isFresh))
        {
            (var found, dn) = await LookUpAsync(user, ct);
            if (dn is null)
                return found;
            isFresh = true;
        }

        var answer = await BindAsync(user, dn, password, ct);
        return answer is LoginAnswer.NoMatch && !isFresh && (await LookUpAsync(user, ct)).Dn is { } now && now != dn
            ? await BindAsync(user, now, password, ct)
            : answer;
    }

    /// <summary>Without a search only a bind can tell.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct)
    {
        var nobody = IAccountStore.NobodysName;
        var answer = source.Dn is null
            ? await FindAsync(nobody, ct)
            : await CheckPasswordAsync(nobody, new Password(Encoding.ASCII.GetBytes(NobodysDn())), ct);
        return answer is LoginAnswer.NoMatch
            ? null
            : answer.WhyOpen ?? "it finds somebody by a name that nobody has: does it look for the name that is asked for?";
    }

    /// <summary>A bind as an entry that is not there. A server that hashes slowly still shows by its time who is known to it.</summary>
    public async ValueTask<LoginAnswer?> CheckNobodyAsync(CancellationToken ct) =>
        source.Dn is null && source.SecretAttribute is null
            ? await BindAsync(string.Empty, NobodysDn(), new Password(RandomNumberGenerator.GetBytes(16)), ct)
            : null;

    public void Dispose() => servers.Dispose();

    /// <summary>How long a server may search: no longer than is waited for it.</summary>
    internal static int SecondsOf(LdapSource source) => Math.Max(1, (int)Math.Ceiling(source.Terms.Timeout.TotalSeconds));

    private static AccountStoreKind KindOf(string word, string example) => new(
        word, example, StoredForms.All, static (context, source) => new LdapStore((LdapSource)source, context.Clock))
    {
        HasOwnKeys = true,
        Read = LdapSource.Read,
        CommonForms = static _ => StoredForms.Password,
        WhyNot = LdapSource.WhyNot,
        Warn = LdapSource.Warn,
    };

    private static StoredForms FormsOf(LdapSource source) => source.SecretAttribute is null ? StoredForms.Password : StoredForms.All;

    private string NobodysDn() =>
        $"cn={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}{(search.Base.Length == 0 ? string.Empty : ",")}{search.Base}";

    private async Task<(LoginAnswer Answer, string? Dn)> LookUpAsync(string user, CancellationToken ct)
    {
        try
        {
            var (answer, dn) = await servers.AskAsync(
                (server, end) => server.SearchAsync((connection, last) => SearchAsync(connection, user, last), end), ct);
            if (dn is not null)
            {
                lock (gate)
                    names.Add(user, (dn, clock.GetTimestamp()));
            }

            return (answer, dn);
        }
        catch (LdapFaultException e)
        {
            return (new LoginAnswer.Unavailable(e.Message), null);
        }
    }

    private async Task<(LoginAnswer Answer, string? Dn)> SearchAsync(LdapConnection connection, string user, CancellationToken ct)
    {
        var (result, entries) = await connection.SearchAsync(search, user, ct);
        if (result.IsOfServer)
            throw new LdapFaultException(result.Reason);
        if (entries.Length > 1 || result.Code == LdapCode.SizeLimitExceeded)
            return (new LoginAnswer.Unavailable("the filter finds more than one entry"), null);
        if (!result.IsSuccess)
        {
            var why = result.Code == LdapCode.NoSuchObject
                ? $"'{search.Base}' is not there, or the service account may not see it"
                : result.Reason;
            return (new LoginAnswer.Unavailable(why), null);
        }

        if (entries.IsEmpty)
            return (StoredLogin.Nobody, null);
        var entry = entries[0];
        var read = new LdapUser(source, filter, user, clock.GetUtcNow());
        if (entry.Dn.Length == 0)
            return (new LoginAnswer.Unavailable("the entry has no name, and nobody can bind as it"), null);
        if (read.WhyNotOf(entry, out var isNobody) is { } other)
            return (isNobody ? StoredLogin.Nobody : new LoginAnswer.Unavailable(other), null);
        if (read.Read(entry) is { } problem)
            return (new LoginAnswer.Unavailable(problem), null);
        var (joined, trouble) = await groups.OfAsync(entry, connection, ct);
        if (trouble is not null)
            return (new LoginAnswer.Unavailable(trouble), null);
        foreach (var group in joined)
            read.Join(group);
        return (read.ToLogin().ToAnswer(), entry.Dn);
    }

    private async Task<LoginAnswer> BindAsync(string user, string name, Password password, CancellationToken ct)
    {
        try
        {
            var result = await servers.AskAsync(
                async (server, end) =>
                {
                    var bound = await server.BindAsync(name, password.Octets, end);
                    return bound.IsOfServer ? throw new LdapFaultException(bound.Reason) : bound;
                },
                ct);
            return result.IsSuccess ? new LoginAnswer.Match(user)
                : result.WhyNotBound is { } why ? new LoginAnswer.NoMatch(why, UserExists: source.Dn is null)
                : new LoginAnswer.Unavailable($"the bind of a user: {result.Reason}");
        }
        catch (LdapFaultException e)
        {
            return new LoginAnswer.Unavailable(e.Message);
        }
    }

    /// <summary>The name of the entry, as it was found last.</summary>
    private (string Dn, bool IsFresh)? Recall(string user)
    {
        lock (gate)
            return names.TryGet(user, out var known) ? (known.Dn, clock.GetElapsedTime(known.At) < Fresh) : null;
    }
}
