using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Postern.Configuration.Devices;
using Postern.Configuration.Doubts;
using Postern.Configuration.Messages;
using Postern.Configuration.Operating;
using Postern.Configuration.Reading;
using Postern.Configuration.Upstream;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Runtime;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>Everything that <c>postern.yaml</c> says, checked, with every default filled in. Immutable.</summary>
/// <param name="File">As the operator named it; null when there is none.</param>
/// <param name="Accounts">The stores, in the order in which they are asked.</param>
internal sealed record PosternConfiguration(
    string? File,
    ServerOptions Server,
    TlsSection Tls,
    ImmutableArray<ListenerOptions> Listeners,
    ImmutableArray<AccountSourceOptions> Accounts)
{
    /// <summary>Whose bearer tokens log in.</summary>
    public required ImmutableArray<OAuthIssuerOptions> OAuth { get; init; }

    public required LimitsOptions Limits { get; init; }

    /// <summary>Clients that may relay without a password, to anywhere.</summary>
    public required ImmutableArray<IPNetwork> Networks { get; init; }

    /// <summary>Files with more of them, absolute.</summary>
    public ImmutableArray<string> NetworkFiles { get; init; } = [];

    /// <summary>Recipient domains that are accepted from anyone.</summary>
    public required ImmutableArray<Domain> Domains { get; init; }

    public required RulesOptions Rules { get; init; }

    /// <summary>What printers and scanners may send; their listeners are among <see cref="Listeners"/>, behind all others.</summary>
    public ImmutableArray<DeviceOptions> Devices { get; init; } = [];

    public required DeliverySection Delivery { get; init; }

    /// <summary>Addresses that mail leaves from.</summary>
    public ImmutableArray<(string Name, PoolOptions Options)> Pools { get; init; } = [];

    /// <summary>What is said of tenants.</summary>
    public ImmutableArray<(string Name, TenantOptions Options)> Tenants { get; init; } = [];

    /// <summary>Mail of this machine's own users.</summary>
    public required SendmailSection Sendmail { get; init; }

    /// <summary>How mail is signed.</summary>
    public required DkimSection Dkim { get; init; }

    /// <summary>Content that is kept after the end of the delivery.</summary>
    public required KeepSection Keep { get; init; }

    public required LogsOptions Logs { get; init; }

    /// <summary>Where the console and the API are.</summary>
    public required WebSection Web { get; init; }

    /// <summary>Who is told what the server measures.</summary>
    public required MetricsSection Metrics { get; init; }

    /// <summary>Null where client certificates are nobody's login.</summary>
    public ExternalOptions? External { get; init; }

    /// <summary>How many guesses are checked.</summary>
    public required LoginProtectionSection LoginProtection { get; init; }

    /// <summary>Null where no ticket is taken.</summary>
    public KerberosOptions? Kerberos { get; init; }

    /// <summary>Where in the file each written key stands.</summary>
    public required IReadOnlyDictionary<string, ConfigNode> Places { get; init; }

    /// <summary>The file that each written secret stands in, by key.</summary>
    public required IReadOnlyDictionary<string, string> SecretFiles { get; init; }

    /// <summary>Null where no secret is in Vault.</summary>
    public VaultSection? Vault { get; init; }

    /// <summary>The secrets that are in Vault, by key.</summary>
    public required IReadOnlyDictionary<string, VaultReference> InVault { get; init; }

    /// <summary>What it was read from.</summary>
    public string Text { get; init; } = string.Empty;

    /// <summary>What every key came to, in the order of the records.</summary>
    public required IReadOnlyList<Setting> Settings { get; init; }

    /// <summary>The files whose content counts as part of the configuration, by key: they are watched.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>
    /// The realm of DIGEST-MD5 where an entry of <c>accounts</c> names none: clients take the first that is offered, so it should be one
    /// for all.
    /// </summary>
    public string Realm => Accounts.Select(static a => a.Realm).FirstOrDefault(static r => r is not null) ?? Server.Hostname.Text;

    /// <summary>That of the directory's secrets.</summary>
    public string DirectoryRealm => Accounts.FirstOrDefault(static a => a.Uri == "directory")?.Realm ?? Realm;

    /// <summary>Where the log files go; absolute.</summary>
    public string LogsDirectory => Path.GetFullPath(Logs.Directory, Server.Data);

    /// <summary>
    /// An error at the value of <paramref name="key"/>, or at the nearest section that was written, found when the value was used.
    /// </summary>
    public ConfigurationError ErrorAt(string key, string message)
    {
        ConfigNode? place = null;
        for (var path = key; path.Length > 0 && !Places.TryGetValue(path, out place); path = path[..Math.Max(0, path.LastIndexOf('.'))])
        {
        }

        return new ConfigurationError(File ?? ConfigurationFile.Name, place?.Line ?? 0, place?.Column ?? 0, key, message);
    }

    /// <summary>What is allowed and should be known, by its key; what files say is not among it.</summary>
    public ImmutableArray<(string Key, string Text)> Doubts =>
    [
        .. HostnameDoubt.Of(Server.Hostname.Text) is { } doubt ? [("server.hostname", doubt)] : Array.Empty<(string, string)>(),
        .. Delivery.Routes.Select(
            static (route, i) => ($"delivery.routes[{i.ToString(CultureInfo.InvariantCulture)}].via", RouteTable.DoubtOf(route.Route)))
            .Where(static doubt => doubt.Item2 is not null).Select(static doubt => (doubt.Item1, doubt.Item2!)),
        .. Delivery.Routes.Select(static (route, i) => (route.Route.Grant, i))
            .Where(r => r.Grant is { } grant && !DeviceLogin.IsAllowed(grant, RelayOptions.TokenDirectory(Server.Data)))
            .Select(static r => ($"delivery.routes[{r.i.ToString(CultureInfo.InvariantCulture)}].login.oauth",
                $"nobody has allowed it yet, so mail on this route waits: postern oauth login {r.Grant!.Account}")),
        .. SilentSettings.Of(this),
        .. MistakenWays.Of(this),
        .. OpenAuthService.Of(this),
        .. SilentDevices.Of(this),
        .. OpenRelay.DoubtsOf(this),
        .. Pools.Where(static p => p.Options.Foreign is not null).Select(
            static p => ($"pools.{p.Name}.sources", $"{p.Options.Foreign} is no address of this machine: nothing can leave from it")),
    ];

    /// <summary>Where it came from, for people.</summary>
    public string Source => File ?? "no configuration file: defaults";

    /// <summary>What a mechanism needs that nothing here has; null when it can be answered.</summary>
    /// <param name="listener">Which asks some stores only; null for all.</param>
    public string? WhyNotAnswered(string mechanism, ListenerOptions? listener = null)
    {
        AccountSourceOptions[] asked =
            [.. Accounts.Where(a => a.Uri is not null && listener?.Accounts?.Contains(a.Uri) is not false)];
        if (asked.Any(a => AccountStores.PassesOn(a.ToSource(string.Empty), mechanism, isAlone: asked.Length == 1)))
            return null;
        switch (mechanism)
        {
            case "OAUTHBEARER" or "XOAUTH2":
                return OAuth.IsEmpty ? "there is no section 'oauth'" : null;
            case "EXTERNAL":
                return External is null ? "there is no section 'external'" : null;
            case "GSSAPI":
                return Kerberos is null ? "there is no section 'kerberos'" : null;
            default:
                var needed = MechanismOffer.NeededBy(SaslMechanisms.All.First(m => m.Name == mechanism));
                var kept = asked.Aggregate(
                    StoredForms.None, static (all, a) => all | (AccountStores.Of(a.ToSource(string.Empty))?.Forms ?? StoredForms.All));
                return kept.HasFlag(needed)
                    ? null
                    : $"no store in {(listener?.Accounts is null ? "'accounts'" : "its accounts")} keeps what it computes with";
        }
    }

    public static PosternConfiguration Read(string? file, Section section)
    {
        var configuration = new PosternConfiguration(
            file,
            section.Child("server", ServerOptions.Read, "This machine."),
            section.Child("tls", TlsSection.Read, "The certificate that every listener shows."),
            section.Children(
                "listeners",
                ListenerOptions.Read,
                Loopback(),
                "The ways in. Left out: 2587 with STARTTLS and 2465 with implicit TLS, on loopback only."),
            section.Children(
                "accounts",
                AccountSourceOptions.Read,
                [AccountSourceOptions.Directory],
                "The stores that know users, asked in this order; the first that knows a user answers. An entry is a section, "
                    + "or the value of its `uri` alone. Left out: `[directory]`.",
                AccountSourceOptions.Shorthand))
        {
            OAuth = section.Children(
                "oauth",
                OAuthIssuerOptions.Read,
                [],
                "Whose bearer tokens log in, by OAUTHBEARER or XOAUTH2, to accounts that a store knows. Left out: nobody's."),
            Limits = section.Child("limits", LimitsOptions.Read, "What one client, and all of them together, may use."),
            Networks = section.List(
                "networks", Kinds.Network, [], "none, loopback included", "Clients that may relay to anywhere without a password."),
            NetworkFiles = section.FilePaths(
                "network_files",
                "Files with more such networks, one a line, `#` before a comment; read again when they change. One with a line that does "
                    + "not read counts as it was before."),
            Domains = section.List(
                "domains",
                Kinds.DomainName,
                [],
                "none",
                "Recipient domains accepted from anyone, besides those of `postern domain add --accept`."),
            Rules = section.Child(
                "rules", RulesOptions.Read, "Who may send what. The first rule that does not pass decides; the end of a list refuses."),
            Devices = section.Children(
                "devices",
                DeviceOptions.Read,
                [],
                "Printers, scanners and other machines: where they connect, what is put up with from them, and what they may send "
                    + "([printers-and-scanners](printers-and-scanners.md)). The first entry that a client is in counts."),
            Delivery = section.Child("delivery", DeliverySection.Read, "Where accepted messages go."),
            Pools = section.Named(
                "pools",
                PoolOptions.Read,
                "Addresses of this machine that mail leaves from, by the name that a route or a tenant knows them by."),
            Tenants = section.Named("tenants", TenantOptions.Read, "What is said of a tenant, by its name."),
            Sendmail = section.Child(
                "sendmail", SendmailSection.Read, "Mail of this machine's own users and programs, by `postern sendmail`."),
            Dkim = section.Child("dkim", DkimSection.Read, "How mail is signed (DKIM), by the keys of `postern dkim`."),
            Keep = section.Child("keep", KeepSection.Read, "Content that is [kept](kept-content.md) when the delivery is over."),
            Logs = section.Child("logs", LogsOptions.Read, "What is written down."),
            Web = section.Child("web", WebSection.Read, "Where the console and the API are, for [operators](operators.md)."),
            Metrics = section.Child(
                "metrics",
                MetricsSection.Read,
                "What the server measures, and how it is, for programs that watch it ([metrics](metrics.md))."),
            Places = section.Places,
            SecretFiles = section.SecretFiles,
            InVault = section.InVault,
            Settings = section.Settings,
            Files = section.Files,
            LoginProtection = section.Child(
                "login_protection", LoginProtectionSection.Read, "How many wrong logins are checked, whose and from where."),
            External = section.OptionalChild(
                "external",
                ExternalOptions.Read,
                "AUTH EXTERNAL: which account a client certificate is, on listeners with `client_certificates: "
                    + "request`. Left out: none is."),
            Kerberos = section.OptionalChild("kerberos", KerberosOptions.Read, "AUTH GSSAPI: Kerberos tickets. Left out: none are taken."),
            Vault = section.OptionalChild(
                VaultSection.Key,
                VaultSection.Read,
                "Where secrets are that stand in this file as `vault:MOUNT/PATH#KEY`: in a KV engine (version 2) of Vault or OpenBao. "
                    + "[Secrets in Vault](stores.md#secrets-of-the-configuration-in-vault) has the rest."),
        };
        if (configuration is { Vault: null, InVault.Count: > 0 })
        {
            foreach (var (key, _) in configuration.InVault)
                section.ReportAt(key, "nothing says where that Vault is", "a section 'vault' with 'address'");
        }

        configuration = configuration.WithDevices();
        configuration.CheckListeners(section);
        configuration.CheckDevices(section);
        configuration.CheckRoutes(section);
        configuration.CheckPools(section);
        foreach (var (tenant, _) in configuration.Tenants.DistinctBy(static t => t.Name, StringComparer.Ordinal).Where(
            t => configuration.Tenants.First(f => string.Equals(f.Name, t.Name, StringComparison.OrdinalIgnoreCase)).Name != t.Name))
            section.ReportAt($"tenants.{tenant}", $"the tenant '{tenant}' stands here twice: its name is the same in any case");
        for (var i = 0; i < configuration.Tenants.Length; i++)
        {
            var (tenant, options) = configuration.Tenants[i];
            foreach (var unknown in options.Terms.Listeners.Where(name => configuration.Listeners.All(l => l.Name != name)))
                section.ReportAt($"tenants.{tenant}.listeners", $"there is no listener '{unknown}'");
        }

        if (configuration.External is not null && !configuration.Listeners.Any(static l => l.AsksForClientCertificate))
            section.Report("external", "no listener asks for certificates", "'client_certificates: request' at a listener");
        if (section.HasEmptyList("accounts"))
            section.Report("accounts", "without a store nobody can log in", "[directory], or the key left out");
        foreach (var (source, i) in configuration.Accounts.Select(static (source, i) => (source, i)))
        {
            if (configuration.Accounts.Take(i).Any(earlier => earlier.Uri is not null && earlier.Uri == source.Uri))
                section.Report("accounts", i, $"'{source.Uri}' stands here twice; the second is never asked anything new");
            if (source.Source.LoginServer is { } server && MistakenWays.ListenerAt(configuration, server.Host, server.Port) is { } listener)
                section.Report("accounts", i, $"'{source.Uri}' is this server's own listener {listener}: every login would ask itself");
            if (source.Source.LoginSocket is { } socket
                && configuration.Listeners.FirstOrDefault(l => l.AuthService?.Paths.Contains(socket) is true) is { } own)
                section.Report(
                    "accounts", i, $"'{source.Uri}' is this server's own listener '{own.Name}': every login would ask itself");
        }

        foreach (var (issuer, i) in configuration.OAuth.Select(static (issuer, i) => (issuer, i)))
        {
            if (configuration.OAuth.Take(i).Any(earlier => earlier.Issuer is not null && earlier.Issuer == issuer.Issuer))
                section.Report("oauth", i, $"the issuer '{issuer.Issuer}' stands here twice");
        }

        return configuration;
    }

    private void CheckListeners(Section section)
    {
        foreach (var (listener, i) in Listeners.Select(static (listener, i) => (listener, i)))
        {
            CheckStores(section, listener, i);
            foreach (var name in listener.Mechanisms ?? [])
            {
                var reason = listener.AuthService is not null && (name == "EXTERNAL" || AuthServiceOptions.WhyNotCarried(name) is not null)
                    ? AuthServiceOptions.WhyNotCarried(name)
                    : name == "EXTERNAL" && External is not null && !listener.AsksForClientCertificate
                        ? "client_certificates is 'none'"
                        : WhyNotAnswered(name, listener);
                if (reason is not null)
                    ReportListener(section, i, $"{name} is never offered here: {reason}");
            }
        }

        if (section.Has("listeners") && Listeners.IsEmpty)
            section.Report("listeners", "a server without a way in", "at least one, or the key left out");

        var names = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var endpoints = new Dictionary<IPEndPoint, string>();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < Listeners.Length; i++)
        {
            var listener = Listeners[i];
            if (listener.Name is { } name && !names.TryAdd(name, i))
                ReportListener(section, i, $"the name '{name}' is taken by {KeyOf(names[name])}");
            foreach (var endpoint in listener.Endpoints)
            {
                if (endpoint.Port != 0 && !endpoints.TryAdd(endpoint, KeyOf(i)))
                    ReportListener(section, i, $"{endpoint} is taken by {endpoints[endpoint]}");
            }

            foreach (var path in listener.AuthService?.Paths ?? [])
            {
                if (!paths.TryAdd(path, $"listeners[{i}]"))
                    section.Report("listeners", i, $"{path} is taken by {paths[path]}");
            }
        }
    }

    /// <summary>The key of a listener, which may stand in <c>devices</c>.</summary>
    /// <param name="listener">Its place among <see cref="Listeners"/>.</param>
    public string KeyOf(int listener) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Listeners[listener].Device is null ? "listeners" : "devices")}[{Listeners[listener].Device ?? listener}]");

    private void ReportListener(Section section, int listener, string message)
    {
        if (Listeners[listener].Device is { } device)
            section.Report("devices", device, message);
        else
            section.Report("listeners", listener, message);
    }

    /// <summary>The same with the listeners of devices, and which devices come by which.</summary>
    private PosternConfiguration WithDevices()
    {
        if (Devices.IsEmpty)
            return this;
        ImmutableArray<string> usual = [.. Listeners.Where(static l => l.AuthService is null).Select(static l => l.Name)];
        ImmutableArray<DeviceOptions> placed = [.. Devices.Select(d => d.Place(usual))];
        return this with
        {
            Devices = placed,
            Listeners = [.. Listeners, .. placed.Select((d, i) => d.WithClients(placed, i)).OfType<ListenerOptions>()],
        };
    }

    /// <summary>Two of one name would count as one, and a listener that does not exist brings nobody.</summary>
    private void CheckDevices(Section section)
    {
        string[] names = [.. Listeners.Where(static l => l.AuthService is null).Select(static l => l.Name).OfType<string>()];
        for (var i = 0; i < Devices.Length; i++)
        {
            var name = Devices[i].Terms.Name;
            if (name.Length > 0 && Devices.Take(i).Any(d => string.Equals(d.Terms.Name, name, StringComparison.OrdinalIgnoreCase)))
                section.Report("devices", i, $"the name '{name}' stands here twice");
            foreach (var other in Devices[i].Through.Where(other => !names.Contains(other, StringComparer.OrdinalIgnoreCase)))
                section.ReportAt(
                    $"devices[{i.ToString(CultureInfo.InvariantCulture)}].listener",
                    $"there is no listener '{other}'",
                    $"one of {string.Join(", ", names)}",
                    NearestName.Of(other, names));
        }
    }

    /// <summary>A store that does not exist knows nobody.</summary>
    private void CheckStores(Section section, ListenerOptions listener, int index)
    {
        string[] stores = [.. Accounts.Select(static a => a.Uri).OfType<string>()];
        foreach (var (name, i) in (listener.Accounts ?? []).Select(static (name, i) => (name, i)))
        {
            if (!stores.Contains(name, StringComparer.Ordinal))
                section.ReportAt(
                    $"listeners[{index.ToString(CultureInfo.InvariantCulture)}].accounts",
                    i,
                    $"there is no store '{name}' in accounts",
                    $"one of {string.Join(", ", stores)}",
                    NearestName.Of(name, stores));
        }
    }

    /// <summary>A pool that does not exist has no address.</summary>
    private void CheckPools(Section section)
    {
        string[] names = [.. Pools.Select(static p => p.Name)];
        foreach (var (route, i) in Delivery.Routes.Select(static (route, i) => (route.Route, i)))
        {
            if (route.Pool is { } pool && !names.Contains(pool, StringComparer.Ordinal))
                ReportNoPool(section, $"delivery.routes[{i.ToString(CultureInfo.InvariantCulture)}].pool", pool, names);
        }

        foreach (var (tenant, options) in Tenants)
        {
            if (options.Pool is { } pool && !names.Contains(pool, StringComparer.Ordinal))
                ReportNoPool(section, $"tenants.{tenant}.pool", pool, names);
        }
    }

    private static void ReportNoPool(Section section, string path, string pool, string[] names) => section.ReportAt(
        path,
        $"there is no pool '{pool}'",
        names.Length > 0 ? $"one of {string.Join(", ", names)}" : "a section for it in 'pools'",
        NearestName.Of(pool, names));

    /// <summary>A route for a listener that does not exist is never taken.</summary>
    private void CheckRoutes(Section section)
    {
        string[] names =
        [
            .. Listeners.Where(static l => l.AuthService is null).Select(static l => l.Name).OfType<string>(), RelayService.LocalListener,
        ];
        foreach (var (route, i) in Delivery.Routes.Select(static (route, i) => (route.Route, i)))
        {
            foreach (var name in route.Listeners.Where(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase)))
                section.ReportAt(
                    $"delivery.routes[{i.ToString(CultureInfo.InvariantCulture)}].listener",
                    $"there is no listener '{name}'",
                    $"one of {string.Join(", ", names)}",
                    NearestName.Of(name, names));
        }
    }

    private static ImmutableArray<ListenerOptions> Loopback() =>
    [
        OnLoopback("submission", 2587, TlsMode.StartTls),
        OnLoopback("submissions", 2465, TlsMode.Implicit),
    ];

    private static ListenerOptions OnLoopback(string name, int port, TlsMode tls) =>
        new(
            name,
            [new(IPAddress.Loopback, port), new(IPAddress.IPv6Loopback, port)],
            tls,
            AuthMode.TlsOnly,
            Mechanisms: null,
            Clients: null);
}
