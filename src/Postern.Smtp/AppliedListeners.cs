using System.Net;

namespace Postern.Smtp;

/// <summary>
/// What became of a server's endpoints by <see cref="SmtpServer.Apply"/>. Each endpoint stands in one of the lists, in the order of the
/// options.
/// </summary>
/// <param name="Added">Bound by this call.</param>
/// <param name="Kept">The socket is the one of before, and the listener's options are equal.</param>
/// <param name="Changed">
/// The socket is the one of before, with what waits in its backlog; new connections get the listener's new options.
/// </param>
/// <param name="Removed">Closed: it accepts no more. What is open there goes on to its end.</param>
public sealed record AppliedListeners(
    IReadOnlyList<AppliedEndpoint> Added,
    IReadOnlyList<AppliedEndpoint> Kept,
    IReadOnlyList<AppliedEndpoint> Changed,
    IReadOnlyList<AppliedEndpoint> Removed);

/// <summary>One endpoint of a server.</summary>
/// <param name="Listener">The name of its listener: the new one where it was renamed.</param>
/// <param name="Endpoint">With the real port number.</param>
/// <param name="OpenSessions">Sessions that are open there and go on with the options they began with.</param>
public sealed record AppliedEndpoint(string Listener, IPEndPoint Endpoint, int OpenSessions);
