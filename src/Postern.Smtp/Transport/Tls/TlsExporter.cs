using System.Net.Security;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// Keying material of a connection for <c>tls-exporter</c> (RFC 9266), asked of OpenSSL: there is no public way (ADR 6). What cannot be had
/// is null.
/// </summary>
internal static unsafe class TlsExporter
{
    private const int Octets = 32;
    private const int GetExtendedMasterSecret = 122;

    private static readonly Lazy<nint?> Exporter = new(static () => OpenSslLibrary.Function("SSL_export_keying_material"));
    private static readonly Lazy<nint?> Control = new(static () => OpenSslLibrary.Function("SSL_ctrl"));

    private static ReadOnlySpan<byte> Label => "EXPORTER-Channel-Binding"u8;

    /// <summary>Without a context, as every implementation has it; over TLS 1.3 that is the same as an empty one.</summary>
    public static byte[]? Export(SslStream stream) => OpenSslLibrary.With(stream, static ssl =>
    {
        if (Exporter.Value is not { } function)
            return null;
        var material = new byte[Octets];
        fixed (byte* octets = material, label = Label)
        {
            var isMade = ((delegate* unmanaged<nint, byte*, nuint, byte*, nuint, byte*, nuint, int, int>)function)(
                ssl, octets, Octets, label, (nuint)Label.Length, null, 0, 0) == 1;
            return isMade && material.AsSpan().ContainsAnyExcept((byte)0) ? material : null;
        }
    });

    /// <summary>Without one TLS 1.2 binds nothing: two connections can be made to agree (RFC 7627).</summary>
    public static bool HasExtendedMasterSecret(SslStream stream) => OpenSslLibrary.With(stream, static ssl =>
        Control.Value is { } function
            && ((delegate* unmanaged<nint, int, nint, void*, nint>)function)(ssl, GetExtendedMasterSecret, 0, null) == 1);
}
