using System.Collections.Immutable;

namespace Postern.Commands.Auth;

/// <summary>What <c>auth test --json</c> prints.</summary>
/// <param name="Ok">Some attempt succeeded.</param>
internal sealed record AuthTestDocument(bool Ok, ImmutableArray<StoreWordDocument> Stores, ImmutableArray<LoginAttemptDocument> Attempts);

/// <summary>What one store says of the user.</summary>
internal sealed record StoreWordDocument(string Store, string Says);

/// <summary>A login by one mechanism.</summary>
/// <param name="Reply">What a client of SMTP would be told.</param>
/// <param name="Reason">What the audit log would hold.</param>
/// <param name="Offered">The listeners that offer it.</param>
internal sealed record LoginAttemptDocument(
    string Mechanism, bool Ok, string Reply, string Reason, string Offered, ImmutableArray<LoginStepDocument> Steps);

/// <summary>One message of a login.</summary>
/// <param name="What">What was sent, without anything that is secret.</param>
internal sealed record LoginStepDocument(string Who, string What);
