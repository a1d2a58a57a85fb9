using System.Net;

namespace Postern.Smtp.Session;

/// <summary>A session as it was at one moment, for whoever watches the server from outside.</summary>
/// <param name="Id">As in the logs.</param>
/// <param name="Login">On whose behalf it acts; null where nobody has logged in.</param>
/// <param name="LoginProvenBy">Who has proven itself for that.</param>
/// <param name="Mechanism">Of that login.</param>
public sealed record OpenSession(
    string Id,
    string Listener,
    IPAddress ClientAddress,
    int ClientPort,
    DateTimeOffset ConnectedAt,
    string? Login,
    string? LoginProvenBy,
    string? Mechanism)
{
    /// <summary>TLSv1.3 and so on; null without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>Its position in the dialogue.</summary>
    public required Phase Phase { get; init; }

    internal static OpenSession Of(SessionState state)
    {
        var login = state.Login;
        return new OpenSession(
            state.Id,
            state.Listener,
            state.ClientAddress,
            state.ClientPort,
            state.ConnectedAt,
            login,
            login is null ? null : state.LoginProvenBy,
            login is null ? null : state.Mechanism)
        {
            Tls = state.Tls?.Version,
            Phase = state.Phase,
        };
    }
}

/// <summary>What asking all open sessions for their logins came to.</summary>
/// <param name="Ended">Sessions that are ended, their logins being gone.</param>
/// <param name="Unsure">Sessions of whose logins nothing could be said; they can send nothing until that is different.</param>
public readonly record struct LoginsReviewed(int Ended, int Unsure);
