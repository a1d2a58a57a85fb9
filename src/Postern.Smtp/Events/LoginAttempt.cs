using Postern.Sasl;

namespace Postern.Smtp.Events;

/// <summary>One finished AUTH command, successful or not. Never holds a secret.</summary>
/// <param name="Mechanism">The name as registered.</param>
/// <param name="ClaimedUser">What the client called itself; null when it did not get that far.</param>
/// <param name="UserExists">False: mask the claimed user, for people type passwords there.</param>
/// <param name="Identity">Null unless the attempt succeeded. Whether it is a login is <see cref="Session.SessionState.Login"/>: ANONYMOUS has an identity and logs nobody in.</param>
/// <param name="Error">Null on success and on a cancelled exchange.</param>
/// <param name="Reason">For the audit trail.</param>
public sealed record LoginAttempt(string Mechanism, string? ClaimedUser, bool UserExists, SaslIdentity? Identity, SaslError? Error, string Reason);
