using System.Text;

namespace Postern.Sasl.Tests;

/// <summary>A channel that both sides see alike; with other data, one where somebody stands between.</summary>
internal static class FixedChannel
{
    public static ChannelBindings Of(string data = "the same on both sides") => Of(ChannelBindingType.TlsServerEndPoint, data);

    public static ChannelBindings Of(ChannelBindingType type, string data = "the same on both sides") => new((type, Encoding.ASCII.GetBytes(data)));
}
