using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>What a parameter may ask of the session in which it is said.</summary>
internal interface ISessionFacts
{
    SessionState State { get; }

    SmtpServerOptions Server { get; }

    /// <summary>Those in force now.</summary>
    SessionLimits Limits { get; }
}
