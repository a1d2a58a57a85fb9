using System.Text;

namespace Postern.Sasl.Kerberos;

/// <summary>What a call of the library came to: the routine's status and the mechanism's (RFC 2744 §3.9).</summary>
internal readonly record struct GssStatus(uint Major, uint Minor)
{
    private const int OfRoutine = 1;
    private const int OfMechanism = 2;

    /// <summary>Where the codes of the Kerberos library begin; below stand those of the operating system.</summary>
    private const uint KerberosBase = unchecked((uint)-1765328384);

    public bool IsError => GssLibrary.IsError(Major);

    /// <summary>There is no such ticket cache (KRB5_FCC_NOFILE).</summary>
    public bool HasNoCache => Minor == KerberosBase + 195;

    public bool WantsMore => (Major & GssLibrary.ContinueNeeded) != 0;

    /// <summary>
    /// The fault is this service's: nothing that the client sent could have been accepted, and it may be tried again later.
    /// </summary>
    public bool IsOurs => Minor switch
    {
        > 0 and < 4096 => true, // errno: the keytab or the replay cache could not be read or written
        KerberosBase + 44 or KerberosBase + 45 =>
            true, // BADKEYVER: the ticket is newer than the keytab; NOKEY: the keytab is gone or unreadable
        >= KerberosBase + 135 and <= KerberosBase + 137 => true, // krb5.conf
        >= KerberosBase + 164 and <= KerberosBase + 172 => true, // the replay cache
        KerberosBase + 179 or KerberosBase + 180 or KerberosBase + 184 => true, // the keytab
        _ => false,
    };

    /// <summary>Of this thread's last call, in the library's words: the mechanism's, which say more, where there are any.</summary>
    public override string ToString() =>
        (Minor == 0 ? null : Text(Minor, OfMechanism)) ?? Text(Major, OfRoutine) ?? $"status {Major:x8}.{Minor:x8}";

    private static unsafe string? Text(uint status, int kind)
    {
        fixed (byte* elements = GssLibrary.KerberosOid)
        {
            var kerberos = new GssLibrary.Oid { Length = (uint)GssLibrary.KerberosOid.Length, Elements = elements };
            GssLibrary.Octets text = default;
            uint minor, more = 0;
            if (GssLibrary.IsError(GssLibrary.DisplayStatus(&minor, status, kind, &kerberos, &more, &text)))
                return null;
            return Encoding.UTF8.GetString(text.Take());
        }
    }
}
