using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Stores.Answers;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// The entry of a user as its login and its account. What cannot be read is no answer, and never a user with less.
/// </summary>
internal sealed class LdapUser(LdapSource source, LdapFilter filter, string user, DateTimeOffset now)
{
    private const string AccountControl = "userAccountControl";
    private const string AccountExpires = "accountExpires";
    private const string LockedTime = "pwdAccountLockedTime";

    /// <summary>RFC draft-behera-ldap-password-policy §5.3.3: locked until an administrator opens it.</summary>
    private const string LockedForGood = "000001010000Z";

    /// <summary>ADS_UF_ACCOUNTDISABLE.</summary>
    private const long DisabledFlag = 2;

    private static readonly SearchValues<char> SchemeSigns =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private readonly UserFacts facts = new(user, "it has several values, and it is not known which one counts");
    private DateTimeOffset? expiresAt;

    /// <summary>The attributes that are asked for: no others are sent.</summary>
    public static ImmutableArray<string> Asked(LdapSource source, LdapFilter filter)
    {
        var (own, attributes) = (source.Attributes, filter.NameTests.Select(static test => (string?)test.Attribute));
        attributes = attributes.Concat(own.Addresses.Items).Concat(
            [own.Name, own.Domains, own.Tenant, own.Disabled, source.SecretAttribute, AccountControl, AccountExpires, LockedTime]);
        if (source.Membership == LdapMembership.MemberOf && source.Groups.Items.Length > 0)
            attributes = attributes.Append(LdapGroups.MemberOf);
        return [.. attributes.OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>The user bears the name that was asked for: null. Else what is answered in place of it.</summary>
    /// <param name="isNobody">A server compares more loosely than names are compared here: without accents, spaces or case.</param>
    public string? WhyNotOf(LdapEntry entry, out bool isNobody)
    {
        isNobody = false;
        var isSeen = false;
        foreach (var (attribute, before, after) in filter.NameTests)
        {
            var asked = before + user + after;
            foreach (var text in entry.Texts(attribute))
            {
                isSeen = true;
                if (text is null)
                    continue;
                if (LoginNames.TryCanonical(text, out var one) && LoginNames.TryCanonical(asked, out var other) && one == other)
                    return null;
                isNobody |= Loose(text) == Loose(asked);
            }
        }

        if (isNobody)
            return "nobody bears this very name";
        var compared = string.Join(", ", filter.NameTests.Select(static test => test.Attribute).Distinct(StringComparer.OrdinalIgnoreCase));
        return isSeen
            ? "its answer is of another user"
            : $"the entry shows none of {compared}: the service account has to be able to read what 'filter' compares";
    }

    /// <summary>What is wrong with the entry; null for nothing.</summary>
    public string? Read(LdapEntry entry)
    {
        var attributes = source.Attributes;
        var problem = attributes.Addresses.Items.Select(a => Each(entry, a, AddAddress)).FirstOrDefault(static p => p is not null)
            ?? Each(entry, attributes.Domains, text => facts.AddDomain(text.Trim()))
            ?? Each(entry, attributes.Name, facts.SetName)
            ?? Each(entry, attributes.Tenant, facts.SetTenant)
            ?? Each(entry, attributes.Disabled, Disable)
            ?? Each(entry, AccountControl, ReadControl)
            ?? Each(entry, AccountExpires, ReadExpiry)
            ?? Each(entry, LockedTime, ReadLock);
        if (problem is not null || source.SecretAttribute is not { } secret)
            return problem;
        return Each(entry, secret, AddSecret)
            ?? (facts.Passwords == 0 ? $"the entry shows no {secret}: it has none, or the service account may not read it" : null);
    }

    /// <summary>What members of a group may.</summary>
    public void Join(LdapGroup group) => facts.Grant(group.Addresses.Items, group.Domains.Items, group.Tenant);

    public StoredLogin ToLogin() => source.SecretAttribute is null ? facts.ToCheckedLogin() : facts.ToLogin();

    private static string? Each(LdapEntry entry, string? attribute, Func<string, string?> read)
    {
        foreach (var text in attribute is null ? [] : entry.Texts(attribute))
        {
            if ((text is null ? "it is no text" : read(text)) is { } problem)
                return $"attribute {attribute}: {problem}";
        }

        return null;
    }

    /// <summary>As it is, or as Exchange writes it: <c>SMTP:</c> before the first, <c>smtp:</c> before others, and further kinds.</summary>
    private string? AddAddress(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && text.AsSpan(0, colon).IndexOfAnyExcept(SchemeSigns) < 0)
        {
            if (!text.StartsWith("smtp:", StringComparison.OrdinalIgnoreCase))
                return null;
            text = text[(colon + 1)..];
        }

        return facts.AddAddress(text.Trim());
    }

    private string? Disable(string text)
    {
        facts.Disable(text);
        return null;
    }

    private string? ReadControl(string text)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var flags))
            return "it is no number";
        if ((flags & DisabledFlag) != 0)
            facts.Refuse(StoredLogin.Disabled);
        return null;
    }

    /// <summary>Units of 100 ns since 1601; nothing and what no clock reaches are never.</summary>
    private string? ReadExpiry(string text)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
            return "it is no number";
        if (ticks == 0 || ticks > DateTime.MaxValue.ToFileTimeUtc())
            return null;
        expiresAt = DateTimeOffset.FromFileTime(ticks);
        if (expiresAt <= now)
            facts.Refuse("the account has expired");
        return null;
    }

    /// <summary>
    /// When a lock ends is the server's to say, which it does at the bind; where there is none, it lasts as long as it stands there.
    /// </summary>
    private string? ReadLock(string text)
    {
        if (text == LockedForGood || source.SecretAttribute is not null)
            facts.Refuse("the account is locked");
        return null;
    }

    private string? AddSecret(string stored)
    {
        facts.AddPassword(stored, expires: expiresAt);
        return null;
    }

    /// <summary>What is left of a text where signs, accents, case and spaces are passed over.</summary>
    private static string Loose(string text) => string.Concat(
        text.Normalize(NormalizationForm.FormKD).EnumerateRunes().Where(Rune.IsLetterOrDigit).Select(Rune.ToLowerInvariant));
}
