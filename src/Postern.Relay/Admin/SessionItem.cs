using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>One open session, for an operator.</summary>
/// <param name="Id">As in the logs.</param>
/// <param name="Client">Address and port.</param>
/// <param name="Login">On whose behalf it acts; null without a login.</param>
/// <param name="ProvenBy">Who has proven itself for that.</param>
/// <param name="State">
/// <c>connected</c>, <c>ready</c>, or the part of a message that has come: <c>mail</c>, <c>rcpt</c>, <c>bdat</c>.
/// </param>
public sealed record SessionItem(string Id, string Listener, string Client, DateTimeOffset Since, string? Login, string? ProvenBy, string? Mechanism, string? Tls, string State)
{
    internal static SessionItem Of(OpenSession session) => new(
        session.Id,
        session.Listener,
        new System.Net.IPEndPoint(session.ClientAddress, session.ClientPort).ToString(),
        session.ConnectedAt,
        session.Login,
        session.LoginProvenBy,
        session.Mechanism,
        session.Tls,
        session.Phase.ToString().ToLowerInvariant());
}
