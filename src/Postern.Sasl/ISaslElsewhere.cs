namespace Postern.Sasl;

/// <summary>
/// Somebody else who answers whole mechanisms, such as another server's authentication service: messages are carried there and back, and
/// what they say is nobody's business here.
/// </summary>
public interface ISaslElsewhere
{
    /// <summary>
    /// Says whether <paramref name="mechanism"/> is answered there and not here. It asks nobody: an exchange asks with its first message.
    /// </summary>
    /// <param name="context">What is known here; without this.</param>
    /// <param name="exchange">The exchange; null where the mechanism is then answered by nobody.</param>
    bool TryStart(ISaslMechanism mechanism, SaslContext context, out ISaslExchange? exchange);
}
