using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;

namespace Postern.Configuration.Doubts;

/// <summary>Settings that are right and do nothing, as another one is missing or stands in their way. Each by its key.</summary>
internal static class SilentSettings
{
    public static IEnumerable<(string Key, string Text)> Of(PosternConfiguration configuration) =>
    [
        .. OfSuppression(configuration),
        .. OfExchangers(configuration),
        .. OfRoutes(configuration),
        .. OfShaping(configuration),
        .. OfRetry(configuration),
        .. OfPools(configuration),
        .. OfBounces(configuration),
        .. OfDkim(configuration),
        .. OfRules(configuration),
    ];

    private static IEnumerable<(string Key, string Text)> OfSuppression(PosternConfiguration configuration)
    {
        if (configuration.Delivery.Suppression.Lasts is null)
        {
            if (IsWritten(configuration, "delivery.suppression.ttl"))
                yield return ("delivery.suppression.ttl", "no address is put on the list: 'hard_bounces: true' beside it is missing");
        }
        else if (!configuration.Rules.Recipient.Any(static rule => rule.Word == SuppressionOptions.Rule))
        {
            yield return (
                "delivery.suppression.hard_bounces",
                $"nobody asks the list that is written: put {SuppressionOptions.Rule} first in rules.recipient");
        }
    }

    /// <summary>What is said of mail exchangers where no mail goes to any.</summary>
    private static IEnumerable<(string Key, string Text)> OfExchangers(PosternConfiguration configuration)
    {
        if (Table(configuration) is not { Holds: false } routes)
            yield break;
        if (routes.NamedForAll is { } all)
        {
            foreach (var key in (string[])["delivery.tls", "delivery.mx"])
            {
                if (IsWritten(configuration, key))
                    yield return (key, $"it is for mail exchangers, and no mail goes there: route {all} takes all of it. "
                        + "What a route asks for stands in its via, as ?tls=");
            }

            yield break;
        }

        for (var i = 0; configuration.Places.TryGetValue($"{Item("delivery.tls.policies", i)}.to", out var place); i++)
        {
            if (place is ConfigNode.Scalar { Text: var domain } && routes.NamedForMailTo(domain.ToLowerInvariant()) is { } route)
                yield return (
                    $"{Item("delivery.tls.policies", i)}.to",
                    $"it is for mail exchangers, and mail to {domain} goes by route {route}, which says ?tls= itself");
        }
    }

    private static IEnumerable<(string Key, string Text)> OfRoutes(PosternConfiguration configuration)
    {
        for (var i = 0; i < configuration.Delivery.Routes.Length; i++)
        {
            var key = Item("delivery.routes", i);
            if (configuration.Delivery.Routes[i].Route.Fallback.IsEmpty && IsWritten(configuration, $"{key}.fallback_after"))
                yield return ($"{key}.fallback_after", "there is no 'fallback' beside it that would take the mail then");
        }
    }

    private static IEnumerable<(string Key, string Text)> OfShaping(PosternConfiguration configuration)
    {
        if (Table(configuration) is not { Holds: false } routes)
            yield break;
        foreach (var entry in configuration.Delivery.Shaping.Entries)
        {
            foreach (var domain in entry.Domains)
            {
                if (routes.NamedForMailTo(domain) is { } route)
                    yield return (
                        "delivery.shaping",
                        $"{entry.Source}: 'domain: {domain}' is for mail to its exchangers, and mail to {domain} goes by route {route}: "
                            + $"'route: \"{route}\"' is meant");
            }
        }
    }

    private static IEnumerable<(string Key, string Text)> OfRetry(PosternConfiguration configuration)
    {
        var retry = configuration.Delivery.Retry;
        if (retry.Warn > retry.GiveUp)
            yield return (
                IsWritten(configuration, "delivery.retry.warn") ? "delivery.retry.warn" : "delivery.retry.give_up",
                "no sender is told that a message waits: it is given up before ('warn' as long as 'give_up' says so on purpose)");
    }

    private static IEnumerable<(string Key, string Text)> OfPools(PosternConfiguration configuration)
    {
        var used = configuration.Delivery.Routes.Select(static r => r.Route.Pool)
            .Concat(configuration.Tenants.Select(static t => t.Options.Pool)).ToHashSet(StringComparer.Ordinal);
        return configuration.Pools.Where(pool => !used.Contains(pool.Name)).Select(static pool => (
            $"pools.{pool.Name}", "no mail leaves from it: neither a route nor a tenant names it"));
    }

    private static IEnumerable<(string Key, string Text)> OfBounces(PosternConfiguration configuration)
    {
        var rows = configuration.Delivery.Bounces;
        for (var i = 1; i < rows.Length; i++)
        {
            var row = rows[i];
            if (row.IsBound && rows.Take(i).ToList().FindIndex(earlier => earlier.IsBound && Covers(earlier, row)) is >= 0 and var first)
                yield return (
                    Item("delivery.bounces", i), $"it is never asked: {Item("delivery.bounces", first)} before it fits all that it fits");
        }
    }

    /// <summary>Whatever fits the second fits the first.</summary>
    private static bool Covers(BounceRow first, BounceRow second) =>
        (first.Status is null || string.Equals(first.Status, second.Status, StringComparison.OrdinalIgnoreCase))
        && (first.Code is null || second.Code?.StartsWith(first.Code, StringComparison.Ordinal) == true)
        && (first.Text is null || second.Text?.Contains(first.Text, StringComparison.OrdinalIgnoreCase) == true);

    private static IEnumerable<(string Key, string Text)> OfDkim(PosternConfiguration configuration)
    {
        if (configuration.Dkim.Rotate is null && IsWritten(configuration, "dkim.announce"))
            yield return ("dkim.announce", "no key is made by the calendar: 'rotate' beside it is missing, such as 180d");
    }

    private static IEnumerable<(string Key, string Text)> OfRules(PosternConfiguration configuration)
    {
        const string Last = "reject_unauth_destination";
        var rules = configuration.Rules.Recipient;
        var last = rules.ToList().FindIndex(static rule => rule.Word == Last);
        for (var i = last + 1; last >= 0 && i < rules.Length; i++)
            yield return (Item("rules.recipient", i), $"{rules[i].Word} is never asked: {Last} before it decides about every recipient");
    }

    /// <summary>Null where the routes hold mistakes, which are told.</summary>
    private static RouteTable? Table(PosternConfiguration configuration) =>
        configuration.Delivery.Routes.IsEmpty
            ? RouteTable.Hold
            : RouteTable.Parse([.. configuration.Delivery.Routes.Select(static r => r.Route)]) is RouteParse.Ok(var table) ? table : null;

    private static bool IsWritten(PosternConfiguration configuration, string key) => configuration.Places.ContainsKey(key);

    private static string Item(string list, int index) => $"{list}[{index.ToString(CultureInfo.InvariantCulture)}]";
}
