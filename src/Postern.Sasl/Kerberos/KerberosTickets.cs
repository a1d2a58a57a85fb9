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
        var credential = Acquire(keytab, principal, out var status);
        problem = !status.IsError ? null
            : keytab is null ? status.Words
            // The library looks for tickets elsewhere then, and says that there is no such place.
            : status.HasNoCache ? $"the keytab {keytab} has no key of {(principal.Length > 0 ? principal : "anybody")}"
            : $"{status.Words} (keytab {keytab})";
        return credential is null ? null : new KerberosContext(credential);
    }

    private static unsafe GssCredential? Acquire(
        string? keytab, string principal, out (bool IsError, bool HasNoCache, string Words) problem)
    {
        fixed (byte* principalOctets = Encoding.UTF8.GetBytes(principal), principalOid = GssLibrary.PrincipalOid,
            kerberosOid = GssLibrary.KerberosOid, keytabKey = "client_keytab\0"u8, keytabValue = Terminated($"FILE:{keytab}"),
            cacheKey = "ccache\0"u8, cacheValue = Terminated(CacheOf(keytab, principal)))
        {
            var name = new GssLibrary.Octets { Length = (nuint)Encoding.UTF8.GetByteCount(principal), Value = principalOctets };
            var nameType = new GssLibrary.Oid { Length = (uint)GssLibrary.PrincipalOid.Length, Elements = principalOid };
            var kerberos = new GssLibrary.Oid { Length = (uint)GssLibrary.KerberosOid.Length, Elements = kerberosOid };
            var mechanisms = new GssLibrary.OidSet { Count = 1, Elements = &kerberos };
            var entries = stackalloc GssLibrary.KeyValue[]
            {
                new() { Key = keytabKey, Value = keytabValue },
                new() { Key = cacheKey, Value = cacheValue },
            };
            var store = new GssLibrary.KeyValueSet { Count = keytab is null ? 0u : 2u, Elements = entries };

            nint imported = 0, acquired = 0;
            uint minor, ignored;
            var status = principal.Length == 0 ? default : new GssStatus(GssLibrary.ImportName(&minor, &name, &nameType, &imported), minor);
            if (!status.IsError)
                status = new GssStatus(
                    GssLibrary.AcquireCredential(
                        &minor,
                        imported,
                        GssLibrary.Indefinite,
                        &mechanisms,
                        GssLibrary.Initiate,
                        keytab is null ? null : &store,
                        &acquired,
                        null,
                        null),
                    minor);
            problem = (status.IsError, status.HasNoCache, status.IsError ? status.ToString() : string.Empty);
            if (imported != 0)
                _ = GssLibrary.ReleaseName(&ignored, &imported);
            return status.IsError ? null : new GssCredential(acquired);
        }
    }

    /// <summary>In the memory of this process, one for each keytab and principal.</summary>
    private static string CacheOf(string? keytab, string principal) =>
        $"MEMORY:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{keytab}\n{principal}")).AsSpan(0, 16))}";

    private static byte[] Terminated(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
