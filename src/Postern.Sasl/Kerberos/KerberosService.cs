using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
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

        (string, string) keys = ("keytab", keytab);
        (string, string)[] store = replayCache is null ? [keys] : [keys, ("rcache", $"file2:{replayCache}")];
        var acquired = GssCredential.Acquire(service, GssLibrary.HostBasedServiceOid, GssLibrary.Accept, store, out _, out var words);
        opened = acquired is null ? null : new KerberosService(acquired);
        problem = acquired is null ? $"the keytab {keytab} has no usable key of '{service}': {words}" : null;
        return acquired is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => credential.Dispose();

    internal KerberosContext Begin() => new(credential);
}
