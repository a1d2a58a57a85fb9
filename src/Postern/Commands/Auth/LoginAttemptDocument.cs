using System.Collections.Immutable;

namespace Postern.Commands.Auth;

/// <summary>A login by one mechanism.</summary>
/// <param name="Reply">What a client of SMTP would be told.</param>
/// <param name="Reason">What the audit log would hold.</param>
/// <param name="Offered">The listeners that offer it.</param>
internal sealed record LoginAttemptDocument(string Mechanism, bool Ok, string Reply, string Reason, string Offered, ImmutableArray<LoginStepDocument> Steps);
