using System.Collections.Frozen;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Policy;
using Postern.Relay.Spool.Segments;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>What the configuration means to each part of the engine.</summary>
internal static class EngineOptions
{
    private const string DatabaseName = "directory.db";
    private const string SpoolName = "spool";

    public static SqliteDirectoryOptions ToDirectory(this PosternConfiguration configuration, TimeProvider clock) =>
        new(Path.Combine(configuration.Server.Data, DatabaseName)) { Clock = clock };

    public static SegmentSpoolOptions ToSpool(this PosternConfiguration configuration) => new() { Directory = Path.Combine(configuration.Server.Data, SpoolName) };

    /// <param name="copy">Takes every line as well; null for the files only.</param>
    public static JsonLinesAuditLog OpenAuditLog(this PosternConfiguration configuration, TimeProvider clock, Stream? copy = null) =>
        new(new AuditLogOptions { Directory = configuration.LogsDirectory, Copy = copy }, clock);

    public static PolicyOptions ToPolicy(this PosternConfiguration configuration) => new()
    {
        Networks = configuration.Networks,
        Domains = configuration.Domains.ToFrozenSet(),
        SenderRules = configuration.Rules.Sender,
        RecipientRules = configuration.Rules.Recipient,
    };

    public static SmtpListenerOptions ToListener(this ListenerOptions listener) => new()
    {
        Name = listener.Name,
        Endpoints = listener.Endpoints,
        Tls = listener.Tls,
        Auth = listener.Auth,
        Mechanisms = listener.Mechanisms,
        Clients = listener.Clients,
    };

    public static SessionLimits ToSessionLimits(this LimitsOptions limits) => new()
    {
        MessageOctets = limits.MessageSize,
        Recipients = limits.Recipients,
        Idle = limits.Idle,
    };
}
