using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Kerberos;

/// <summary>
/// The tickets that a client logs in with. By a keytab they are asked for when they are needed, kept in memory for all that use the same
/// keytab and principal, and renewed by the library before they end; without one they are those of the ticket cache. Needs MIT Kerberos on
/// this machine.
/// </summary>
internal static class KerberosTickets
{
    /// <summary>Whether this machine has the library.</summary>
    public static bool IsHere => NativeLibrary.TryLoad(GssLibrary.Name, out _);

    /// <summary>Begins the client's half of an exchange; null where there are no tickets, and why.</summary>
    /// <param name="keytab">The path of a keytab; null for the ticket cache (KRB5CCNAME).</param>
    /// <param name="principal">Whose key of the keytab, or whose tickets; empty for the first.</param>
    public static KerberosContext? Begin(string? keytab, string principal, [NotNullWhen(false)] out string? problem)
    {
        (string, string)[] store = keytab is null ? [] : [("client_keytab", $"FILE:{keytab}"), ("ccache", CacheOf(keytab, principal))];
        var credential = GssCredential.Acquire(
            principal, GssLibrary.PrincipalOid, GssLibrary.Initiate, store, out var status, out var words);
        problem = credential is not null ? null
            : keytab is null ? words
            // The library looks for tickets elsewhere then, and says that there is no such place.
            : status.HasNoCache ? $"the keytab {keytab} has no key of {(principal.Length > 0 ? principal : "anybody")}"
            : $"{words} (keytab {keytab})";
        return credential is null ? null : new KerberosContext(credential);
    }

    /// <summary>In the memory of this process, one for each keytab and principal.</summary>
    private static string CacheOf(string keytab, string principal) =>
        $"MEMORY:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{keytab}\n{principal}")).AsSpan(0, 16))}";
}
