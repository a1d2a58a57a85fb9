using System.Runtime.InteropServices;

namespace Postern.Sasl.Kerberos;

/// <summary>A <c>gss_cred_id_t</c>: threads may share it.</summary>
internal sealed class GssCredential : SafeHandle
{
    public GssCredential(nint acquired)
        : base(invalidHandleValue: 0, ownsHandle: true) => SetHandle(acquired);

    public override bool IsInvalid => handle == 0;

    protected override unsafe bool ReleaseHandle()
    {
        uint minor;
        var credential = handle;
        return !GssLibrary.IsError(GssLibrary.ReleaseCredential(&minor, &credential));
    }
}
