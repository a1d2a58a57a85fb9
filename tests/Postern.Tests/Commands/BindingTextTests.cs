using Postern.Hosting;
using Postern.Sasl;
using Postern.Smtp.Transport;

namespace Postern.Tests.Commands;

public sealed class BindingTextTests
{
    [Theory]
    [InlineData(true, true, "tls-exporter (TLS 1.3); tls-unique, tls-exporter (TLS 1.2); tls-server-end-point")]
    [InlineData(true, false, "tls-unique, tls-exporter (TLS 1.2); over TLS 1.3 tls-server-end-point only")]
    [InlineData(false, true, "tls-exporter (TLS 1.3); over TLS 1.2 tls-server-end-point only")]
    [InlineData(false, false, "tls-server-end-point only: this machine's TLS library could not be asked for more, so -PLUS mechanisms are offered where a listener names them")]
    public void Status_says_what_logins_can_be_bound_to(bool tls12, bool tls13, string text) =>
        Assert.Equal(text, BindingText.Describe(new TlsBindings(tls12 ? [ChannelBindingType.TlsUnique, ChannelBindingType.TlsExporter] : [], tls13 ? [ChannelBindingType.TlsExporter] : [])));
}
