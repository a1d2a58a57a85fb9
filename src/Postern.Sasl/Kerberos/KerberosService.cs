using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Postern.Sasl.Mechanisms;

namespace Postern.Sasl.Kerberos;

/// <summary>
/// A service's keys, which open its clients' tickets (<see cref="GssapiMechanism"/>). The keytab is read anew for each ticket, so one that
/// is replaced counts at once. Needs MIT Kerberos on this machine, which only Linux has in the expected form. Any number of exchanges may
/// use it at a time.
/// </summary>
public sealed class KerberosService : IDisposable
{
    private readonly GssCredential credential;

    private KerberosService(GssCredential credential) => this.credential = credential;

    /// <summary>False where tickets could not be accepted; <paramref name="problem"/> says why, and what to do.</summary>
    /// <param name="keytab">The path of a keytab; the user of this process must be able to read it.</param>
    /// <param name="service">
    /// The first half of <c>smtp/mail.example.org</c>. Keys of other services in the keytab are never used, and any host's are.
    /// </param>
    public static bool TryOpen(
        string keytab, string service, [NotNullWhen(true)] out KerberosService? opened, [NotNullWhen(false)] out string? problem) =>
        TryOpen(keytab, service, replayCache: null, out opened, out problem);

    /// <summary>The same, where the system's place for the replay cache may not be writable, as <c>/var/tmp</c> of a container.</summary>
    /// <param name="replayCache">
    /// The path of a file, which is made: the tickets seen lately, so that none is taken twice. Null for the system's place.
    /// </param>
    public static bool TryOpen(
        string keytab,
        string service,
        string? replayCache,
        [NotNullWhen(true)] out KerberosService? opened,
        [NotNullWhen(false)] out string? problem)
    {
        ArgumentException.ThrowIfNullOrEmpty(keytab);
        ArgumentException.ThrowIfNullOrEmpty(service);
        opened = null;
        if (!NativeLibrary.TryLoad(GssLibrary.Name, out _))
        {
            problem = $"{GssLibrary.Name} is not installed (Debian: apt install libgssapi-krb5-2)";
            return false;
        }

        if (Acquire(keytab, service, replayCache, out problem) is { } credential)
            opened = new KerberosService(credential);
        return opened is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => credential.Dispose();

    internal KerberosContext Begin() => new(credential);

    private static unsafe GssCredential? Acquire(string keytab, string service, string? replayCache, out string? problem)
    {
        fixed (byte* serviceOctets =
            Terminated(service), storeKey = "keytab\0"u8, storeValue = Terminated(keytab), cacheKey = "rcache\0"u8, cacheValue = Terminated(
                $"file2:{replayCache}"), kerberosOid = GssLibrary.KerberosOid, serviceOid = GssLibrary.HostBasedServiceOid)
        {
            var name = new GssLibrary.Octets { Length = (nuint)Encoding.UTF8.GetByteCount(service), Value = serviceOctets };
            var nameType = new GssLibrary.Oid { Length = (uint)GssLibrary.HostBasedServiceOid.Length, Elements = serviceOid };
            var kerberos = new GssLibrary.Oid { Length = (uint)GssLibrary.KerberosOid.Length, Elements = kerberosOid };
            var mechanisms = new GssLibrary.OidSet { Count = 1, Elements = &kerberos };
            var entries = stackalloc GssLibrary.KeyValue[]
            {
                new() { Key = storeKey, Value = storeValue },
                new() { Key = cacheKey, Value = cacheValue },
            };
            var store = new GssLibrary.KeyValueSet { Count = replayCache is null ? 1u : 2u, Elements = entries };

            nint imported = 0, acquired = 0;
            uint minor, ignored;
            var status = new GssStatus(GssLibrary.ImportName(&minor, &name, &nameType, &imported), minor);
            if (!status.IsError)
                status = new GssStatus(
                    GssLibrary.AcquireCredential(
                        &minor, imported, GssLibrary.Indefinite, &mechanisms, GssLibrary.Accept, &store, &acquired, null, null),
                    minor);
            problem = status.IsError ? $"the keytab {keytab} has no usable key of '{service}': {status}" : null;
            if (imported != 0)
                _ = GssLibrary.ReleaseName(&ignored, &imported);
            return status.IsError ? null : new GssCredential(acquired);
        }
    }

    private static byte[] Terminated(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
