using System.Net.Security;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Postern.Smtp.Transport;

/// <summary>
/// Keying material of a connection for <c>tls-exporter</c> (RFC 9266), asked from the OpenSSL that the runtime has loaded, by the connection that the runtime
/// keeps in a private field: there is no public way (ADR 6). Everything that is not found answers null.
/// </summary>
internal static unsafe class TlsExporter
{
    private const int Octets = 32;
    private const int GetExtendedMasterSecret = 122;

    private static readonly FieldInfo? Connection = typeof(SslStream).GetField("_securityContext", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly Lazy<Calls?> Library = new(Find);

    private static ReadOnlySpan<byte> Label => "EXPORTER-Channel-Binding"u8;

    /// <summary>Without a context, as every implementation has it; over TLS 1.3 that is the same as an empty one.</summary>
    public static byte[]? Export(SslStream stream) => Use(stream, static (calls, ssl) =>
    {
        var material = new byte[Octets];
        fixed (byte* octets = material, label = Label)
            return calls.Export(ssl, octets, Octets, label, (nuint)Label.Length, null, 0, 0) == 1 && material.AsSpan().ContainsAnyExcept((byte)0) ? material : null;
    });

    /// <summary>Without one TLS 1.2 binds nothing: two connections can be made to agree (RFC 7627).</summary>
    public static bool HasExtendedMasterSecret(SslStream stream) => Use(stream, static (calls, ssl) => calls.Control(ssl, GetExtendedMasterSecret, 0, null) == 1 ? Label.ToArray() : null) is not null;

    private static byte[]? Use(SslStream stream, Func<Calls, nint, byte[]?> call)
    {
        if (Library.Value is not { } calls || Connection?.GetValue(stream) is not SafeHandle { IsInvalid: false, IsClosed: false } ssl)
            return null;
        var isHeld = false;
        try
        {
            ssl.DangerousAddRef(ref isHeld);
            return call(calls, ssl.DangerousGetHandle());
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            if (isHeld)
                ssl.DangerousRelease();
        }
    }

    /// <summary>The library is the one that is mapped into this process. Where there are two, nothing tells which of them made a connection.</summary>
    private static Calls? Find()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            string[] mapped = [.. File.ReadLines("/proc/self/maps").Select(static line => line[(line.LastIndexOf(' ') + 1)..]).Where(static path => Path.GetFileName(path).StartsWith("libssl.so", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal)];
            return mapped is [var path] && NativeLibrary.TryLoad(path, out var library)
                && NativeLibrary.TryGetExport(library, "SSL_export_keying_material", out var export) && NativeLibrary.TryGetExport(library, "SSL_ctrl", out var control)
                ? new Calls((delegate* unmanaged<nint, byte*, nuint, byte*, nuint, byte*, nuint, int, int>)export, (delegate* unmanaged<nint, int, nint, void*, nint>)control)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Calls(delegate* unmanaged<nint, byte*, nuint, byte*, nuint, byte*, nuint, int, int> export, delegate* unmanaged<nint, int, nint, void*, nint> control)
    {
        public readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, byte*, nuint, int, int> Export = export;
        public readonly delegate* unmanaged<nint, int, nint, void*, nint> Control = control;
    }
}
