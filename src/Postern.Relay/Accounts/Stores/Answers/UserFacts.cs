using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Accounts.Hashes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Answers;

/// <summary>
/// What another program says of a user, put together piece by piece. Each piece that cannot be taken has a reason, and then there is no
/// answer at all: never a user with less.
/// </summary>
/// <param name="user">Whom the store was asked for.</param>
/// <param name="severalNames">What is said of a second name of the account: then nobody knows whose password it is.</param>
internal sealed class UserFacts(string user, string severalNames)
{
    private readonly ImmutableArray<StoredCredential>.Builder credentials = ImmutableArray.CreateBuilder<StoredCredential>();
    private readonly SortedSet<string> addresses = new(StringComparer.Ordinal);
    private readonly SortedSet<string> granted = new(StringComparer.Ordinal);
    private readonly SortedSet<string> domains = new(StringComparer.Ordinal);
    private string? name;
    private string? tenant;
    private string? refusal;
    private bool hasAddresses;

    public int Passwords => credentials.Count;

    public bool HasName => name is not null;

    /// <param name="stored">Any stored form, or the password as it is; empty for none.</param>
    /// <param name="label">What the secret is called; null for its number.</param>
    public void AddPassword(string stored, string? label = null, DateTimeOffset? expires = null)
    {
        if (stored.Length > 0)
            credentials.Add(new StoredCredential(
                label ?? (credentials.Count + 1).ToString(CultureInfo.InvariantCulture),
                FileStore.ReadLine($"x:{stored}").Hash ?? PasswordHash.Parse(stored),
                expires));
    }

    /// <summary>What is wrong with it, like those below; null for nothing.</summary>
    public string? SetName(string text)
    {
        if (!LoginNames.TryCanonical(text, out var canonical))
            return "it is no name that an account can have";
        return Set(ref name, canonical) is null ? null : severalNames;
    }

    public string? SetTenant(string text) => Set(ref tenant, text);

    /// <summary>Addresses between commas or spaces; where there is none, the user has none, and not its own name.</summary>
    public string? AddAddresses(string text)
    {
        hasAddresses = true;
        return Words(text).Select(AddAddress).FirstOrDefault(static problem => problem is not null);
    }

    public string? AddAddress(string text)
    {
        if (!Mailbox.TryParse(text, out var mailbox))
            return "something in it is no address";
        hasAddresses = true;
        addresses.Add(mailbox.Canonical);
        return null;
    }

    /// <summary>Domains between commas or spaces.</summary>
    public string? AddDomains(string text) => Words(text).Select(AddDomain).FirstOrDefault(static problem => problem is not null);

    public string? AddDomain(string text)
    {
        if (!Domain.TryParse(text, out var domain))
            return "something in it is no domain";
        domains.Add(domain.Text.ToLowerInvariant());
        return null;
    }

    /// <summary>What the user may beside its own, such as a member of a group.</summary>
    public void Grant(IEnumerable<string> moreAddresses, IEnumerable<string> moreDomains, string? usualTenant)
    {
        granted.UnionWith(moreAddresses);
        domains.UnionWith(moreDomains);
        tenant ??= usualTenant;
    }

    /// <summary>What is there and does not say no says yes, such as a moment.</summary>
    public void Disable(string text)
    {
        if (text.ToLowerInvariant() is not ("" or "0" or "f" or "false" or "n" or "no"))
            Refuse(StoredLogin.Disabled);
    }

    /// <summary>It may not be used; the first reason counts.</summary>
    public void Refuse(string why) => refusal ??= why;

    /// <summary>Where all of its secrets are what another system would call locked, the user is disabled here too.</summary>
    public StoredLogin ToLogin()
    {
        if (credentials.Count > 0 && credentials.All(static c => c.Hash is UnknownHash && ForeignHash.IsLocked(c.Hash.Stored)))
            Refuse(StoredLogin.Disabled);
        return new StoredLogin(user, refusal, credentials.ToImmutable()) { IsDisabled = refusal is not null, Account = ToAccount() };
    }

    /// <summary>The same of one whose passwords the store checks.</summary>
    public StoredLogin ToCheckedLogin(bool isPresumed = false) =>
        new(user, refusal, [])
        {
            IsDisabled = refusal is not null,
            IsCheckedByStore = true,
            IsPresumed = isPresumed,
            Account = ToAccount(),
        };

    private Account ToAccount()
    {
        var own = Account.Of(name ?? user, refusal is null);
        return own with
        {
            Addresses = [.. granted.Union(hasAddresses ? addresses : own.Addresses).Order(StringComparer.Ordinal)],
            Domains = [.. domains],
            Tenant = tenant,
        };
    }

    private static string? Set(ref string? value, string text)
    {
        value ??= text;
        return value == text ? null : "it is not the same everywhere";
    }

    private static string[] Words(string text) =>
        text.Split([',', ';', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
