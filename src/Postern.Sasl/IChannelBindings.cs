namespace Postern.Sasl;

/// <summary>Data that identifies the protected channel an exchange runs in (RFC 5056).</summary>
public interface IChannelBindings
{
    /// <param name="name">The registered name, such as <c>tls-server-end-point</c> (RFC 5929 §4) or <c>tls-exporter</c> (RFC 9266).</param>
    /// <param name="data">The channel binding data, without the name.</param>
    /// <returns>False when this binding cannot be computed here.</returns>
    bool TryGet(string name, out ReadOnlyMemory<byte> data);
}
