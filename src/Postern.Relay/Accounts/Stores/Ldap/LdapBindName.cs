using System.Buffers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>As whom a user binds without a search.</summary>
internal static class LdapBindName
{
    private static readonly SearchValues<char> SignsOfOtherNames = SearchValues.Create("\"\\=,;+/");

    /// <summary>
    /// A template that is a DN has the name escaped in it. Any other is a user principal name, and stays one: Active Directory takes other
    /// names too (of a domain, a DN, a display name), by which one user would have many.
    /// </summary>
    /// <returns>Null for a name that nobody can bind as.</returns>
    public static string? Of(string template, string user)
    {
        if (template.Contains('=', StringComparison.Ordinal))
            return template.Replace(LdapFilter.Parameter, LdapDn.Escape(user), StringComparison.Ordinal);
        var name = template.Replace(LdapFilter.Parameter, user, StringComparison.Ordinal);
        return Mailbox.TryParse(name, out _) && !name.AsSpan().ContainsAny(SignsOfOtherNames) ? name : null;
    }
}
