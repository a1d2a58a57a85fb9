using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Devices;
using Postern.Smtp.Transport;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Doubts;

/// <summary>
/// Rules that let anybody send anywhere, on a listener that anybody reaches: found by asking them about strangers, whatever the rules are
/// called. Nobody means that, so it is an error.
/// </summary>
internal static class OpenRelay
{
    /// <summary>From everywhere: a network that is trusted holds some of them, and not all.</summary>
    private static readonly ImmutableArray<IPAddress> Everywhere =
    [
        .. new[]
        {
            "1.2.3.4", "23.45.67.89", "45.67.89.10", "62.1.2.3", "80.90.100.110", "101.102.103.104", "139.18.7.6", "151.101.1.6",
            "178.3.4.5", "185.6.7.8", "198.51.100.7", "203.0.113.77", "217.8.9.10", "2001:db8:7::1", "2400:cb00::7",
            "2600:1f00::9", "2a01:4f8::11",
            "2c0f:f248::3",
        }.Select(IPAddress.Parse),
    ];

    /// <summary>The word of the rule that asks about devices.</summary>
    private const string DeviceRule = "check_devices";

    private static readonly Mailbox Victim = Mailbox.Parse("victim@elsewhere.example");

    private static readonly ImmutableArray<ReversePath> Senders =
        [new(Mailbox.Parse("somebody@stranger.example")), new(Mailbox.Parse("somebody@elsewhere.example")), ReversePath.Null];

    /// <summary>The error, where it is written; null where strangers are refused. Of a configuration that has no other error.</summary>
    public static ConfigurationError? Of(PosternConfiguration configuration)
    {
        var policy = configuration.ToPolicy();
        if (OfDevices(configuration, policy) is { } devices)
            return devices;
        if (PublicOf(configuration) is not { } open)
            return null;
        foreach (var family in FamiliesOf(open))
        {
            if (WhatPermits(policy, open, Known(policy), family) is { } permits)
                return configuration.ErrorAt(
                    KeyOf(permits, policy),
                    $"{permits} permits whoever comes to it, so anybody could send anything to anywhere through the listener {open.Name}: "
                        + "write rules before it that refuse, or take it out; "
                        + "reject_unauth_destination takes mail for the own domains alone");
            // Where nobody is left who is not trusted, whoever trusts them is to blame.
            if (StrangersOf(Known(policy), family).Count == 0 && WhatPermits(policy, open, [], family) is not null)
                return configuration.ErrorAt(
                    StrangersOf(policy.Networks, family).Count == 0 ? "networks" : FileOf(policy, family),
                    $"they hold every client there is: anybody could send anything through the listener {open.Name}");
        }

        return null;
    }

    private static ImmutableArray<IPNetwork> Known(PolicyOptions policy) =>
        policy.NetworkFiles.IsEmpty ? policy.Networks : [.. policy.Networks, .. policy.NetworkFiles.SelectMany(InFile)];

    /// <summary>
    /// Devices that anybody could be, and listeners of theirs by which somebody gets through who is none: whatever the lists say that stand
    /// before what is said of devices.
    /// </summary>
    private static ConfigurationError? OfDevices(PosternConfiguration configuration, PolicyOptions policy)
    {
        for (var i = 0; i < configuration.Devices.Length; i++)
        {
            var terms = configuration.Devices[i].Terms;
            var key = string.Create(CultureInfo.InvariantCulture, $"devices[{i}]");
            var takesInClear = configuration.Devices[i].Listener is { Auth: AuthMode.Always };
            foreach (var family in Families)
            {
                if (!terms.Clients.IsEmpty
                    && StrangersOf(terms.Clients, family).Count == 0
                    && (terms.Login != LoginNeed.Required || takesInClear))
                    return configuration.ErrorAt(
                        $"{key}.clients",
                        terms.Login != LoginNeed.Required
                            ? $"they hold every client there is: anybody could send as one of the devices '{terms.Name}'"
                            : "they hold every client there is, and 'auth: always' takes passwords in clear from all of them");
            }

            if (configuration.Devices[i].Listener is not { } own)
                continue;
            var known = configuration.Devices.Where(d => d.Terms.Listeners.Contains(own.Name, StringComparer.OrdinalIgnoreCase))
                .SelectMany(static d => d.Terms.Clients).Concat(Known(policy)).ToImmutableArray();
            foreach (var family in Families)
            {
                if (WhatPermits(policy, own, known, family) is { } permits)
                    return configuration.ErrorAt(
                        KeyOf(permits, policy),
                        $"{permits} permits whoever comes to it before {DeviceRule} is asked, so anybody could send anything to "
                            + $"anywhere through the listener {own.Name} of the devices '{terms.Name}': write {DeviceRule} before it");
            }
        }

        return null;
    }

    /// <summary>The file without which somebody would be a stranger.</summary>
    private static string FileOf(PolicyOptions policy, AddressFamily family)
    {
        for (var i = 0; i < policy.NetworkFiles.Length; i++)
        {
            if (StrangersOf([.. policy.Networks, .. policy.NetworkFiles.RemoveAt(i).SelectMany(InFile)], family).Count > 0)
                return string.Create(CultureInfo.InvariantCulture, $"network_files[{i}]");
        }

        return "network_files";
    }

    /// <summary>None of a file that does not read: that is told elsewhere, and no server starts with it.</summary>
    private static IReadOnlyList<IPNetwork> InFile(string path)
    {
        TrustedNetworks.Read(path, out var networks);
        return networks;
    }

    /// <summary>
    /// Where a service that a rule asks says OK, strangers relay, as by the rule <c>permit</c> in its place. It may be what the service is
    /// for, so it is no error.
    /// </summary>
    public static IEnumerable<(string Key, string Text)> DoubtsOf(PosternConfiguration configuration)
    {
        if (PublicOf(configuration) is not { } open)
            yield break;
        var policy = configuration.ToPolicy();
        foreach (var asking in RelayRules.Asking)
        {
            if (!policy.RecipientRules.Any(entry => entry.PlainWord == asking || IsIn(entry.PlainWord, asking, policy)))
                continue;
            var saysOk = policy with
            {
                RecipientRules = AsPermit(policy.RecipientRules, asking),
                Classes = policy.Classes.ToImmutableSortedDictionary(
                    static list => list.Key, list => AsPermit(list.Value, asking), StringComparer.Ordinal),
            };
            if (FamiliesOf(open).Any(family => WhatPermits(saysOk, open, Known(policy), family) is not null))
                yield return (
                    KeyOf(asking, policy),
                    $"whoever the service of {asking} answers OK for may send anything to anywhere through the listener {open.Name}: "
                        + "where it is not to decide about relaying, write 'ok: pass'");
        }
    }

    private static ImmutableArray<RuleEntry> AsPermit(ImmutableArray<RuleEntry> entries, string asking) =>
    [
        .. entries.Select(entry => entry.Word == asking && RelayRules.MayPermit(entry) ? new RuleEntry("permit") : entry),
    ];

    /// <summary>A listener that anybody reaches; null where there is none.</summary>
    private static ListenerOptions? PublicOf(PosternConfiguration configuration) => configuration.Listeners.FirstOrDefault(static l =>
        l is { AuthService: null, Clients: null } && l.Endpoints.Any(static e => !IPAddress.IsLoopback(e.Address)));

    /// <summary>By which clients reach a listener: one whose every client of a family gets through is open.</summary>
    private static IEnumerable<AddressFamily> FamiliesOf(ListenerOptions open) =>
        open.Endpoints.Where(static e => !IPAddress.IsLoopback(e.Address)).Select(static e => e.AddressFamily).Distinct();

    private static List<IPAddress> StrangersOf(IReadOnlyCollection<IPNetwork> known, AddressFamily family) =>
        [.. Everywhere.Where(a => a.AddressFamily == family && !known.Any(network => network.Contains(a)))];

    /// <summary>The rule that permits all strangers; null where one of them is refused.</summary>
    /// <param name="known">Who is no stranger.</param>
    private static string? WhatPermits(
        PolicyOptions policy, ListenerOptions open, ImmutableArray<IPNetwork> known, AddressFamily family)
    {
        var rules = new RelayPolicy(policy, new Nobody(), NoAuditLog.Instance, TimeProvider.System, names: new AllKnown());
        string? permits = null;
        foreach (var stranger in StrangersOf(known, family))
        {
            // Who is refused for one sender may be let in for another.
            permits = Senders.Select(sender => Ask(rules, open.Name, stranger, sender)).FirstOrDefault(static rule => rule is not null);
            if (permits is null)
                return null;
        }

        return permits;
    }

    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    private static string KeyOf(string rule, PolicyOptions policy)
    {
        var list = policy.RecipientRules;
        var at = list.TakeWhile(entry => entry.Word != rule && !IsIn(entry.PlainWord, rule, policy)).Count();
        return string.Create(CultureInfo.InvariantCulture, $"rules.recipient[{Math.Min(at, list.Length - 1)}]");
    }

    /// <summary>The rule that permits; null where it is refused.</summary>
    [SuppressMessage("Usage", "VSTHRD002", Justification = "Only tables in files are waited for, once for each configuration.")]
    private static string? Ask(RelayPolicy rules, string listener, IPAddress client, ReversePath sender)
    {
        var facts = new EnvelopeFacts { Listener = listener, Client = client, Helo = "mail.stranger.example", Tls = "TLSv1.3" };
        var decision = rules.DryRunAsync(facts, sender, Victim, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return decision.IsPermit ? decision.Rule : null;
    }

    private static bool IsIn(string list, string word, PolicyOptions policy) =>
        policy.Classes.TryGetValue(list, out var entries) && entries.Any(e => e.Word == word || IsIn(e.PlainWord, word, policy));

    /// <summary>Has no accounts, domains and networks: what they would permit is meant.</summary>
    private sealed class Nobody : IDirectory
    {
        public ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct) => default;

        public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) => default;

        public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) => default;

        public ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) => default;
    }

    /// <summary>Strangers have names that are right.</summary>
    private sealed class AllKnown : INameLookup
    {
        public ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct) => new(new NameAnswer.Known("it has"));

        public ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct) => new(new NameAnswer.Known("it has"));
    }
}
