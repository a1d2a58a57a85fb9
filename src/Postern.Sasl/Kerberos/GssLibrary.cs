using System.Runtime.InteropServices;

namespace Postern.Sasl.Kerberos;

/// <summary>
/// The calls of MIT Kerberos (RFC 2744) that a service and its clients need. The runtime's own
/// <see cref="System.Net.Security.NegotiateAuthentication"/> knows one keytab a process, no service, and no reason.
/// </summary>
internal static unsafe partial class GssLibrary
{
    public const string Name = "libgssapi_krb5.so.2";

    public const int Initiate = 1;
    public const int Accept = 2;

    /// <summary>The server proves itself (GSS_C_MUTUAL_FLAG), and messages are signed (GSS_C_INTEG_FLAG).</summary>
    public const uint MutualAndSigned = 2 | 32;
    public const uint Indefinite = uint.MaxValue;
    public const uint ContinueNeeded = 1;

    /// <summary>The octets of a status that say it is an error (RFC 2744 §3.9.1); the rest are remarks.</summary>
    public const uint ErrorMask = 0xFFFF_0000;

    /// <summary>1.2.840.113554.1.2.2, Kerberos V5.</summary>
    public static ReadOnlySpan<byte> KerberosOid => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];

    /// <summary>1.2.840.113554.1.2.2.1, a principal as Kerberos writes it.</summary>
    public static ReadOnlySpan<byte> PrincipalOid => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];

    /// <summary>1.2.840.113554.1.2.1.4, the service of a host: <c>smtp</c> alone is that of any host in the keytab.</summary>
    public static ReadOnlySpan<byte> HostBasedServiceOid => [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];

    public static bool IsError(uint status) => (status & ErrorMask) != 0;

    [LibraryImport(Name, EntryPoint = "gss_import_name")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint ImportName(uint* minor, Octets* name, Oid* type, nint* imported);

    [LibraryImport(Name, EntryPoint = "gss_release_name")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint ReleaseName(uint* minor, nint* name);

    [LibraryImport(Name, EntryPoint = "gss_display_name")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint DisplayName(uint* minor, nint name, Octets* text, Oid** type);

    [LibraryImport(Name, EntryPoint = "gss_acquire_cred_from")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint AcquireCredential(
        uint* minor,
        nint name,
        uint seconds,
        OidSet* mechanisms,
        int usage,
        KeyValueSet* store,
        nint* credential,
        OidSet** actual,
        uint* granted);

    [LibraryImport(Name, EntryPoint = "gss_release_cred")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint ReleaseCredential(uint* minor, nint* credential);

    [LibraryImport(Name, EntryPoint = "gss_accept_sec_context")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint AcceptContext(
        uint* minor,
        nint* context,
        nint credential,
        Octets* token,
        nint bindings,
        nint* source,
        Oid** mechanism,
        Octets* answer,
        uint* flags,
        uint* seconds,
        nint* delegated);

    [LibraryImport(Name, EntryPoint = "gss_init_sec_context")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint InitiateContext(
        uint* minor,
        nint credential,
        nint* context,
        nint target,
        Oid* mechanism,
        uint flags,
        uint seconds,
        nint bindings,
        Octets* token,
        Oid** actual,
        Octets* answer,
        uint* granted,
        uint* lasts);

    [LibraryImport(Name, EntryPoint = "gss_delete_sec_context")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint DeleteContext(uint* minor, nint* context, Octets* token);

    [LibraryImport(Name, EntryPoint = "gss_wrap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint Wrap(
        uint* minor, nint context, int encrypts, uint quality, Octets* message, int* isEncrypted, Octets* wrapped);

    [LibraryImport(Name, EntryPoint = "gss_unwrap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint Unwrap(uint* minor, nint context, Octets* wrapped, Octets* message, int* isEncrypted, uint* quality);

    [LibraryImport(Name, EntryPoint = "gss_release_buffer")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint ReleaseBuffer(uint* minor, Octets* octets);

    [LibraryImport(Name, EntryPoint = "gss_display_status")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial uint DisplayStatus(uint* minor, uint status, int kind, Oid* mechanism, uint* more, Octets* text);

    /// <summary><c>gss_buffer_desc</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Octets
    {
        public nuint Length;
        public byte* Value;

        /// <summary>A copy, and the library's memory given back.</summary>
        public byte[] Take()
        {
            var copy = new ReadOnlySpan<byte>(Value, checked((int)Length)).ToArray();
            uint minor;
            fixed (Octets* self = &this)
                _ = ReleaseBuffer(&minor, self);
            return copy;
        }
    }

    /// <summary><c>gss_OID_desc</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Oid
    {
        public uint Length;
        public byte* Elements;
    }

    /// <summary><c>gss_OID_set_desc</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OidSet
    {
        public nuint Count;
        public Oid* Elements;
    }

    /// <summary><c>gss_key_value_element_desc</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct KeyValue
    {
        public byte* Key;
        public byte* Value;
    }

    /// <summary><c>gss_key_value_set_desc</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct KeyValueSet
    {
        public uint Count;
        public KeyValue* Elements;
    }
}
