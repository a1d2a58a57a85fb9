using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography.X509Certificates;
using Postern.Sasl;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Transport;

/// <summary>
/// Which channel bindings of a connection this machine can compute, by the version of TLS. Each was proven once, by a handshake of this
/// process with itself: both ends had the same octets. What is not proven is not offered.
/// </summary>
/// <param name="Tls12">In the order in which our client prefers them; for connections with an extended master secret (RFC 7627).</param>
/// <param name="Tls13">In the order in which our client prefers them.</param>
public sealed record TlsBindings(IReadOnlyList<ChannelBindingType> Tls12, IReadOnlyList<ChannelBindingType> Tls13)
{
    /// <summary>Proven at the first call; later ones answer at once. Never fails.</summary>
    public static Task<TlsBindings> OfThisMachineAsync() => Proof.Run;

    /// <summary>Of one connection whose handshake is over; null where it has none.</summary>
    /// <param name="endPoint">The hash of the server's certificate; null where none is defined.</param>
    internal ChannelBindings? Of(SslStream stream, byte[]? endPoint)
    {
        var proven = stream.SslProtocol switch
        {
            SslProtocols.Tls13 => Tls13,
            SslProtocols.Tls12 when Tls12.Count > 0 && TlsExporter.HasExtendedMasterSecret(stream) => Tls12,
            _ => [],
        };
        IReadOnlyList<ChannelBindingType> types = endPoint is null ? proven : [.. proven, ChannelBindingType.TlsServerEndPoint];
        return types.Count == 0
            ? null
            : new ChannelBindings(types, type => type == ChannelBindingType.TlsServerEndPoint ? endPoint : Compute(stream, type));
    }

    /// <summary>Null where it cannot be computed, and for <c>tls-server-end-point</c>, which is not of the connection.</summary>
    private static byte[]? Compute(SslStream stream, ChannelBindingType type) =>
        type == ChannelBindingType.TlsExporter ? TlsExporter.Export(stream) : type == ChannelBindingType.TlsUnique ? Unique(stream) : null;

    private static async Task<TlsBindings> ProveAsync()
    {
        using var certificate = SelfSignedCertificate.Create("localhost", TimeProvider.System);
        return new TlsBindings(
            await ProveAsync(certificate, SslProtocols.Tls12, [ChannelBindingType.TlsUnique, ChannelBindingType.TlsExporter])
                .ConfigureAwait(false),
            await ProveAsync(certificate, SslProtocols.Tls13, [ChannelBindingType.TlsExporter]).ConfigureAwait(false));
    }

    /// <summary>All of them or none: a client takes the first that is usual for its version, and does not try another.</summary>
    private static async Task<IReadOnlyList<ChannelBindingType>> ProveAsync(
        X509Certificate2 certificate, SslProtocols version, IReadOnlyList<ChannelBindingType> types)
    {
#pragma warning disable CA5398 // each version is proven for itself
        await using var own = await OwnHandshake.TryAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
                EnabledSslProtocols = version,
            }, version).ConfigureAwait(false);
#pragma warning restore CA5398
        // Null where this machine does not speak that version: nothing is proven.
        var isBound = own is not null
            && (version == SslProtocols.Tls13
                || (TlsExporter.HasExtendedMasterSecret(own.Client) && TlsExporter.HasExtendedMasterSecret(own.Server)));
        return isBound
            && types.All(
                type => Compute(own!.Client, type) is { Length: > 0 } one
                    && Compute(own.Server, type) is { } other
                    && one.AsSpan().SequenceEqual(other)) ? types : [];
    }

    /// <summary>Behind the fixed header and the prefix of the token that Windows asks for.</summary>
    private static byte[]? Unique(SslStream stream)
    {
        using var binding = stream.TransportContext.GetChannelBinding(ChannelBindingKind.Unique);
        if (binding is not { IsInvalid: false })
            return null;
        var token = new byte[binding.Size];
        Marshal.Copy(binding.DangerousGetHandle(), token, 0, token.Length);
        var prefix = "tls-unique:"u8;
        return token.AsSpan().IndexOf(prefix) is >= 0 and var at && at + prefix.Length < token.Length
            ? token[(at + prefix.Length)..]
            : null;
    }

    /// <summary>Begins when it is first asked for.</summary>
    private static class Proof
    {
        public static readonly Task<TlsBindings> Run = Task.Run(ProveAsync);
    }
}
