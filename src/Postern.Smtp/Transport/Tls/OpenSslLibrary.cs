using System.Net.Security;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// The OpenSSL that the runtime has loaded, and the connection that an <see cref="SslStream"/> keeps in a private field: for what .NET has
/// no public call (ADR 6). Everything that is not found is null.
/// </summary>
internal static class OpenSslLibrary
{
    private static readonly FieldInfo? Connection = typeof(SslStream).GetField(
        "_securityContext", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly Lazy<nint?> Library = new(Find);

    /// <summary>
    /// The address of a function; null where it cannot be had. Asked for when the first handshake has loaded the library.
    /// </summary>
    public static nint? Function(string name) =>
        Library.Value is { } library && NativeLibrary.TryGetExport(library, name, out var function) ? function : null;

    /// <summary>Calls with the connection, which cannot go away meanwhile; the default where there is none.</summary>
    public static T? With<T>(SslStream stream, Func<nint, T> call)
    {
        if (Library.Value is null || Connection?.GetValue(stream) is not SafeHandle { IsInvalid: false, IsClosed: false } ssl)
            return default;
        var isHeld = false;
        try
        {
            ssl.DangerousAddRef(ref isHeld);
            return call(ssl.DangerousGetHandle());
        }
        catch (ObjectDisposedException)
        {
            return default;
        }
        finally
        {
            if (isHeld)
                ssl.DangerousRelease();
        }
    }

    /// <summary>
    /// The library is the one that is mapped into this process. Where there are two, nothing tells which of them made a connection.
    /// </summary>
    private static nint? Find()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            string[] mapped =
            [
                .. File.ReadLines("/proc/self/maps").Select(static line => line[(line.LastIndexOf(' ') + 1)..])
                    .Where(static path => Path.GetFileName(path).StartsWith("libssl.so", StringComparison.Ordinal))
                    .Distinct(StringComparer.Ordinal),
            ];
            return mapped is [var path] && NativeLibrary.TryLoad(path, out var library) ? library : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
