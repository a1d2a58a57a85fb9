using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>The sessions of a running server.</summary>
public interface ISessionControl
{
    /// <summary>Those that are open now.</summary>
    IReadOnlyList<OpenSession> List();

    /// <summary>Ends those that are meant, with 421; says how many.</summary>
    int End(Func<OpenSession, bool> which);

    /// <summary>Ends those whose login is gone.</summary>
    Task<LoginsReviewed> ReviewAsync(CancellationToken ct);
}
