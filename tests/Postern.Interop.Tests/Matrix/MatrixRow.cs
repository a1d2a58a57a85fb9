using System.Collections.Immutable;
using Postern.Interop.Tests.Matrix.Clients;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Clients that log in by one mechanism as a user who is kept in one way.</summary>
internal sealed record MatrixRow(string Mechanism, Kept Kept, params ImmutableArray<LoginClient> Clients);
