using System.Collections.Frozen;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using LoginProtection = Postern.Relay.Accounts.Protection.LoginProtectionOptions;
using RelayDelivery = Postern.Relay.Delivery.DeliveryOptions;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Configuration;

/// <summary>What the configuration means to each part of the engine.</summary>
internal static class EngineOptions
{
    public static SqliteDirectoryOptions ToDirectory(this PosternConfiguration configuration, TimeProvider clock) =>
        new(RelayOptions.DirectoryFile(configuration.Server.Data)) { Clock = clock };

    public static SpoolOptions ToSpool(this PosternConfiguration configuration) =>
        SpoolOptions.Local(RelayOptions.SpoolDirectory(configuration.Server.Data));

    public static JsonLinesAuditLog OpenAuditLog(this PosternConfiguration configuration, TimeProvider clock) =>
        new(
            new AuditLogOptions
            {
                Directory = configuration.LogsDirectory,
                KeepDays = configuration.Logs.Keep,
                MostOctets = configuration.Logs.Most,
                AcctLog = configuration.Logs.Accounting is { } accounting ? accounting with { Rotates = false } : null,
            },
            clock);

    public static AccountOptions ToAccounts(this PosternConfiguration configuration) => new()
    {
        Sources = [.. configuration.Accounts.Select(
            source => source.ToSource(configuration.Realm) with { Database = RelayOptions.DirectoryFile(configuration.Server.Data) })],
        Hostname = configuration.Server.Hostname,
        StoresByListener = configuration.Listeners.Where(static l => l.Accounts is not null)
            .ToFrozenDictionary(static l => l.Name, static l => l.Accounts!.Value, StringComparer.OrdinalIgnoreCase),
        Issuers = [.. configuration.OAuth.Select(static issuer => issuer.ToIssuer())],
        Protection = configuration.LoginProtection.ToProtection(),
    };

    private static LoginProtection ToProtection(this LoginProtectionSection options) => new()
    {
        IsEnabled = options.Enabled,
        Exempt = options.Exempt,
        AccountAndNetwork = options.Budgets.AccountAndNetwork,
        Account = options.Budgets.Account,
        Address = options.Budgets.Address,
        Network = options.Budgets.Network,
        Device = options.Budgets.Device,
    };

    public static PolicyOptions ToPolicy(this PosternConfiguration configuration) => new()
    {
        Networks = configuration.Networks,
        NetworkFiles = configuration.NetworkFiles,
        Domains = configuration.Domains.ToFrozenSet(),
        Tenants = new TenantTable(configuration.Tenants.Select(static t => t.Options.Terms with { Name = t.Name.ToLowerInvariant() })),
        Srs = configuration.ToSrs(),
        ClientRules = configuration.Rules.Client,
        HeloRules = configuration.Rules.Helo,
        SenderRules = configuration.Rules.Sender,
        RecipientRules = configuration.Rules.Recipient,
        MessageRules = configuration.Rules.Message,
        Classes = configuration.Rules.Classes,
        Patience = configuration.Rules.Patience,
        Devices = configuration.ToDevices(),
        Limits = configuration.ToUsage(),
    };

    private static DeviceTable ToDevices(this PosternConfiguration configuration) => configuration.Devices.IsEmpty
        ? DeviceTable.Empty
        : new DeviceTable(
            configuration.Devices.Select(static d => d.Terms),
            configuration.Devices.Where(static d => d.Listener is not null).Select(static d => d.Terms.Name));

    /// <summary>What stands in <c>limits</c>, and in <c>devices</c>.</summary>
    private static LimitTable ToUsage(this PosternConfiguration configuration)
    {
        var limited = configuration.Devices.Where(static d => !d.Terms.Limits.IsEmpty)
            .ToFrozenDictionary(static d => d.Terms.Name, static d => d.Terms.Limits, StringComparer.Ordinal);
        var usage = configuration.Limits.Usage;
        return limited.Count == 0 ? usage : usage with
        {
            Devices = configuration.ToDevices(),
            Scopes = usage.Scopes.Add(new ScopeLimits(LimitScope.Devices, []) { Own = limited }),
        };
    }

    /// <param name="isWidened">This machine's OpenSSL takes more than modern ciphers where a listener does not say what it takes.</param>
    public static SmtpListenerOptions ToListener(this ListenerOptions listener, bool isWidened) => new()
    {
        Name = listener.Name,
        Endpoints = listener.Endpoints,
        Tls = listener.Tls,
        Auth = listener.Auth,
        Mechanisms = listener.Mechanisms,
        WithoutMechanisms = listener.WithoutMechanisms,
        MechanismsUnderTls = listener.MechanismsUnderTls,
        WithoutExtensions = listener.WithoutExtensions,
        Clients = listener.Clients,
        Protocol = listener.Protocol,
        BareNewlines = listener.BareNewlines,
        Addresses = listener.Addresses,
        TlsProtocols = listener.TlsProtocols,
        Ciphers = listener.Ciphers == TlsCiphers.Modern && !isWidened ? null : listener.Ciphers,
        AsksForClientCertificate = listener.AsksForClientCertificate,
        ProxyFrom = listener.ProxyFrom,
        XClientFrom = listener.XClientFrom,
        XForwardFrom = listener.XForwardFrom,
        XVerpFrom = listener.XVerpFrom,
    };

    private static AuthListenerOptions ToAuthListener(ListenerOptions listener) => new()
    {
        Name = listener.Name,
        Places =
        [
            .. listener.Endpoints.Select(static e => new AuthPlace.Tcp(e)),
            .. listener.AuthService!.Paths.Select(path => new AuthPlace.Unix(path)
            {
                Mode = listener.AuthService.Mode,
                Owner = listener.AuthService.Owner,
                Group = listener.AuthService.Group,
            }),
        ],
        TakesSecretsInClear = listener.Auth == AuthMode.Always,
        Mechanisms = listener.Mechanisms,
        WithoutMechanisms = listener.WithoutMechanisms,
        MechanismsUnderTls = listener.MechanismsUnderTls,
        Clients = listener.Clients,
    };

    public static SessionLimits ToSessionLimits(this LimitsOptions limits) => new()
    {
        MessageOctets = limits.MessageSize,
        Recipients = limits.Recipients,
        Idle = limits.Idle,
    };

    /// <summary>What ships, what the shaping file says, and behind it what stands in the routes.</summary>
    public static ShapingTable ToShaping(this PosternConfiguration configuration) => ShapingTable.Of(
        [
            .. configuration.Delivery.Shaping.Entries,
            .. configuration.Delivery.Routes.Where(static r => !r.Shaping.IsEmpty)
                .Select(static r => new ShapingEntry { Route = r.Route.Name, Values = r.Shaping }),
        ],
        configuration.Delivery.Shaping.WithShipped);

    public static RelayDelivery ToDelivery(this PosternConfiguration configuration) => configuration.ToDelivery(configuration.ToShaping());

    private static RelayDelivery ToDelivery(this PosternConfiguration configuration, ShapingTable shaping) => new()
    {
        Hostname = configuration.Server.Hostname,
        Postmaster = configuration.Server.Postmaster,
        Srs = configuration.ToSrs(),
        Domains = configuration.Domains.ToFrozenSet(),
        Routes = configuration.ToRoutes().With(
            configuration.Tenants.Where(static t => t.Options.Pool is not null)
                .ToFrozenDictionary(static t => t.Name, static t => t.Options.Pool!, StringComparer.OrdinalIgnoreCase),
            shaping.Routes),
        Shaping = shaping,
        ConnectionsPerDestination = configuration.Delivery.Connections.PerHost,
        Connections = configuration.Delivery.Connections.All,
        ConnectionsTried = configuration.Delivery.Connections.Tried,
        Pools = configuration.Pools.Select(static p => p.Options.ToPool(p.Name))
            .ToFrozenDictionary(static p => p.Name, StringComparer.Ordinal),
        Addresses = configuration.Delivery.Addresses,
        TokenDirectory = RelayOptions.TokenDirectory(configuration.Server.Data),
        Resolvers = configuration.Delivery.Dns.Servers,
        ResolversValidate = configuration.Delivery.Dns.Validating,
        AllowedMxNetworks = configuration.Delivery.Mx.AllowNetworks,
        Tls = configuration.Delivery.Tls.Tls,
        TrustedRoots = configuration.Delivery.Tls.Trusted,
        SuppressFor = configuration.Delivery.Suppression.Lasts,
        Held = new HeldLimits
        {
            Login = configuration.Limits.Held,
            Tenants = configuration.Tenants.Where(static t => t.Options.Held is not null)
                .ToFrozenDictionary(static t => t.Name.ToLowerInvariant(), static t => t.Options.Held!, StringComparer.Ordinal),
        },
        Bounces = BounceTable.With(configuration.Delivery.Bounces),
        ReportsPerAddress = configuration.Delivery.Reports.PerAddress,
        ReportsGatheredFor = configuration.Delivery.Reports.Gather,
        TellsOfLostReports = configuration.Delivery.Reports.TellsOfLost,
        TlsReportsFrom = configuration.Delivery.Tls.ReportFrom,
        Retry = new RetrySchedule(
            configuration.Delivery.Retry.First,
            configuration.Delivery.Retry.Factor,
            configuration.Delivery.Retry.Most,
            configuration.Delivery.Retry.GiveUp)
        {
            Warn = configuration.Delivery.Retry.Warn,
            Greylisted = configuration.Delivery.Retry.Greylisted,
            MailboxFull = configuration.Delivery.Retry.MailboxFull,
            GiveUpBounces = configuration.Delivery.Retry.Bounces.GiveUp,
        },
    };

    /// <param name="tls">Null where no listener speaks TLS.</param>
    /// <param name="accounts"><see cref="ToAccounts"/>, with what logins rest on beside the stores.</param>
    /// <param name="logCopy">Takes every line of the log as well; null for the files only.</param>
    public static RelayOptions ToRelay(
        this PosternConfiguration configuration, ServerTls? tls, AccountOptions accounts, Stream? logCopy, bool isWidened = false) => new()
    {
        Hostname = configuration.Server.Hostname.Text,
        DataDirectory = configuration.Server.Data,
        Listeners =
        [
            .. configuration.Listeners.Where(static l => l.AuthService is null).Select(listener => listener.ToListener(isWidened)),
        ],
        AuthListeners = [.. configuration.Listeners.Where(static l => l.AuthService is not null).Select(ToAuthListener)],
        Tls = tls,
        Limits = configuration.Limits.ToSessionLimits() with { FailedLogins = configuration.LoginProtection.FailuresPerSession },
        MaxConnections = configuration.Limits.Connections,
        MaxConnectionsPerAddress = configuration.Limits.ConnectionsPerAddress,
        MaxMemory = configuration.Limits.Memory,
        Accounts = accounts,
        Policy = configuration.ToPolicy(),
        Local = configuration.Sendmail.Rules,
        TracesSenders = configuration.Rules.TracesSenders,
        Delivery = configuration.ToDelivery(),
        Dkim = configuration.Dkim.ToEngine(),
        Arc = configuration.Delivery.Arc.ToEngine(),
        Keep = configuration.Keep.ToRules(),
        EtrnDomains = configuration.Delivery.Etrn.ToFrozenSet(),
        Spool = configuration.ToSpool(),
        StopGrace = configuration.Server.StopGrace,
        LogDirectory = configuration.LogsDirectory,
        LogDays = configuration.Logs.Keep,
        LogOctets = configuration.Logs.Most,
        LogSubjects = configuration.Logs.Subject,
        LogAccounting = configuration.Logs.Accounting,
        LogSyslog = configuration.Logs.Syslog is { } syslog ? syslog with { Hostname = configuration.Server.Hostname.Text } : null,
        LogJournal = configuration.Logs.Journal,
        LogCopy = logCopy,
    };

    private static Srs? ToSrs(this PosternConfiguration configuration) =>
        configuration.Delivery.Srs?.ToEngine(configuration.Server.Hostname);

    private static RouteTable ToRoutes(this PosternConfiguration configuration)
    {
        var routes = configuration.Delivery.Routes;
        return routes.IsEmpty ? RouteTable.Hold
            : RouteTable.Parse([.. routes.Select(static r => r.Route)]) is RouteParse.Ok(var table) ? table
            : throw new InvalidOperationException("routes are checked when they are read");
    }
}
