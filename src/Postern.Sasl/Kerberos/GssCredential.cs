using System.Runtime.InteropServices;
using System.Text;

namespace Postern.Sasl.Kerberos;

/// <summary>A <c>gss_cred_id_t</c>: threads may share it.</summary>
internal sealed class GssCredential : SafeHandle
{
    private GssCredential(nint acquired)
        : base(invalidHandleValue: 0, ownsHandle: true) => SetHandle(acquired);

    public override bool IsInvalid => handle == 0;

    /// <param name="name">Whose; empty for whoever there is.</param>
    /// <param name="type">What kind of name it is.</param>
    /// <param name="usage"><see cref="GssLibrary.Initiate"/> or <see cref="GssLibrary.Accept"/>.</param>
    /// <param name="store">Where keys and tickets are, in the words of MIT's credential store; empty for the process's own places.</param>
    /// <param name="status">What it came to.</param>
    /// <param name="words">The same in the library's words, where it is an error.</param>
    public static unsafe GssCredential? Acquire(
        string name, ReadOnlySpan<byte> type, int usage, (string Key, string Value)[] store, out GssStatus status, out string words)
    {
        var entries = stackalloc GssLibrary.KeyValue[store.Length];
        nint imported = 0, acquired = 0;
        uint minor, ignored;
        try
        {
            for (var i = 0; i < store.Length; i++)
                entries[i] = new() { Key = Terminated(store[i].Key), Value = Terminated(store[i].Value) };
            fixed (byte* nameOctets = Encoding.UTF8.GetBytes(name), typeOid = type, kerberosOid = GssLibrary.KerberosOid)
            {
                var named = new GssLibrary.Octets { Length = (nuint)Encoding.UTF8.GetByteCount(name), Value = nameOctets };
                var kind = new GssLibrary.Oid { Length = (uint)type.Length, Elements = typeOid };
                var kerberos = new GssLibrary.Oid { Length = (uint)GssLibrary.KerberosOid.Length, Elements = kerberosOid };
                var mechanisms = new GssLibrary.OidSet { Count = 1, Elements = &kerberos };
                var places = new GssLibrary.KeyValueSet { Count = (uint)store.Length, Elements = entries };
                var from = store.Length == 0 ? null : &places;

                status = name.Length == 0 ? default : new GssStatus(GssLibrary.ImportName(&minor, &named, &kind, &imported), minor);
                if (!status.IsError)
                    status = new GssStatus(
                        GssLibrary.AcquireCredential(
                            &minor, imported, GssLibrary.Indefinite, &mechanisms, usage, from, &acquired, null, null),
                        minor);
            }

            words = status.IsError ? status.ToString() : string.Empty;
            return status.IsError ? null : new GssCredential(acquired);
        }
        finally
        {
            for (var i = 0; i < store.Length; i++)
            {
                Marshal.FreeCoTaskMem((nint)entries[i].Key);
                Marshal.FreeCoTaskMem((nint)entries[i].Value);
            }

            if (imported != 0)
                _ = GssLibrary.ReleaseName(&ignored, &imported);
        }
    }

    protected override unsafe bool ReleaseHandle()
    {
        uint minor;
        var credential = handle;
        return !GssLibrary.IsError(GssLibrary.ReleaseCredential(&minor, &credential));
    }

    private static unsafe byte* Terminated(string text) => (byte*)Marshal.StringToCoTaskMemUTF8(text);
}
