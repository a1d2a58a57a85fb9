using Postern.Relay.Admin;
using Postern.Smtp;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>The sessions of the SMTP server, as operators see them.</summary>
internal sealed class ServerSessions(SmtpServer server) : ISessionControl
{
    public IReadOnlyList<OpenSession> List() => server.Sessions;

    public int End(Func<OpenSession, bool> which) => server.EndSessions(which);

    public Task<LoginsReviewed> ReviewAsync(CancellationToken ct) => server.ReviewLoginsAsync(ct);
}
