using System.Collections.Immutable;

namespace Postern.Commands.Auth;

/// <summary>What <c>auth test --json</c> prints.</summary>
/// <param name="Ok">Some attempt succeeded.</param>
internal sealed record AuthTestDocument(bool Ok, ImmutableArray<StoreWordDocument> Stores, ImmutableArray<LoginAttemptDocument> Attempts);
