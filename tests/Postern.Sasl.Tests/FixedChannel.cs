namespace Postern.Sasl.Tests;

/// <summary>A channel that both sides see alike; with another <paramref name="data"/>, one where somebody stands between.</summary>
internal sealed class FixedChannel(string data = "the same on both sides") : IChannelBindings
{
    public bool TryGet(string name, out ReadOnlyMemory<byte> binding)
    {
        binding = System.Text.Encoding.ASCII.GetBytes(data);
        return name == "tls-server-end-point";
    }
}
