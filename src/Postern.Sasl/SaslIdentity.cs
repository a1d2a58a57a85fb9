namespace Postern.Sasl;

/// <summary>
/// Who authenticated (<paramref name="AuthenticationId"/>) and on whose behalf it acts (<paramref name="AuthorizationId"/>),
/// both in the canonical form of the store. Every later decision keys on the authorization id (RFC 4422 §3.4.1).
/// </summary>
public sealed record SaslIdentity(string AuthenticationId, string AuthorizationId);
