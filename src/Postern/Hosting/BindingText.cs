using Postern.Sasl;
using Postern.Smtp.Transport;

namespace Postern.Hosting;

/// <summary>What logins can be bound to on this machine, in one line.</summary>
internal static class BindingText
{
    public static string Describe(TlsBindings bindings) => (bindings.Tls12.Count, bindings.Tls13.Count) switch
    {
        (0, 0) =>
            $"{ChannelBindingType.TlsServerEndPoint} only: this machine's TLS library could not be asked for more, "
                + $"so -PLUS mechanisms are offered where a listener names them",
        (_, 0) => $"{Of(bindings.Tls12, "1.2")}; over TLS 1.3 {ChannelBindingType.TlsServerEndPoint} only",
        (0, _) => $"{Of(bindings.Tls13, "1.3")}; over TLS 1.2 {ChannelBindingType.TlsServerEndPoint} only",
        _ => $"{Of(bindings.Tls13, "1.3")}; {Of(bindings.Tls12, "1.2")}; {ChannelBindingType.TlsServerEndPoint}",
    };

    private static string Of(IReadOnlyList<ChannelBindingType> types, string version) => $"{string.Join(", ", types)} (TLS {version})";
}
