using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Policy.Limits;

namespace Postern.Configuration.Usage;

/// <summary>The part of <c>limits</c> that says what logins, clients and domains may use in a time.</summary>
internal static class UsageSection
{
    public static LimitTable Read(Section section)
    {
        var scopes = ImmutableArray.CreateBuilder<ScopeLimits>();
        var (v4, v6) = (24, 64);
        foreach (var scope in LimitWords.AllScopes.Where(static one => one != LimitScope.Devices))
        {
            if (section.OptionalChild(scope.Word(), child => ReadScope(child, scope, ref v4, ref v6), DocOf(scope)) is { } one
                && (!one.Limits.IsEmpty || one.Own.Count > 0))
                scopes.Add(one);
        }

        return new LimitTable
        {
            Scopes = scopes.ToImmutable(),
            PrefixV4 = v4,
            PrefixV6 = v6,
            DefersIfLost = section.Value(
                "if_lost",
                Kinds.Word(("anew", false), ("defer", true)),
                fallback: false,
                "anew",
                "What happens after a start that finds the file of what was used damaged. `anew`: what can be read counts, the file is set "
                    + "aside. `defer`: what has a limit is answered 451 until the file is taken away and the server started again."),
        };
    }

    private static ScopeLimits ReadScope(Section section, LimitScope scope, ref int v4, ref int v6)
    {
        if (scope == LimitScope.Networks)
        {
            v4 = section.Value("ipv4", Kinds.UpTo(32), 24, "24", "Bits of an IPv4 network.");
            v6 = section.Value("ipv6", Kinds.UpTo(128), 64, "64", "Bits of an IPv6 network.");
        }

        // The reference has the keys that are the same everywhere once.
        if (section.IsDescribing && scope != LimitScope.Logins)
            return new ScopeLimits(scope, []);
        var all = ReadThings(section, scope);
        return new ScopeLimits(scope, all)
        {
            WarnAt = section.Value(
                "warn_at",
                Percent,
                80,
                "80%",
                "The soft limit, as a share of the hard one: from there on the log and `status` tell of it."),
            Rejects = section.Value(
                "answer",
                Kinds.Word(("defer", false), ("reject", true)),
                fallback: false,
                "defer",
                "What is over: `defer` answers 450 4.7.1 and when to try again, `reject` 550 5.7.1."),
            Notifies = scope == LimitScope.Logins
                && section.Value(
                    "notify",
                    Kinds.Word(("true", true), ("false", false)),
                    fallback: false,
                    "false",
                    "The user is told by mail when the soft limit is reached and when the hard one is, of each limit once a day."),
            Own = ReadOwn(section, scope, all),
        };
    }

    private static FrozenDictionary<string, ImmutableArray<ThingLimit>> ReadOwn(
        Section section, LimitScope scope, ImmutableArray<ThingLimit> all)
    {
        var own = new Dictionary<string, ImmutableArray<ThingLimit>>(StringComparer.Ordinal);
        foreach (var (written, things) in section.Named(
            "own",
            child => child.IsDescribing ? [] : ReadThings(child, scope),
            $"Of one {scope.Whose()} alone, by its name: what stands here of a thing counts in the place of what is said of all."))
        {
            if (!scope.TryName(written, out var name))
                section.ReportAt($"{section.Path}.own.{written}", $"'{written}' is no {scope.Whose()}");
            else if (!own.TryAdd(name, ScopeLimits.Merge(all, things)))
                section.ReportAt($"{section.Path}.own.{written}", $"'{name}' stands here twice");
        }

        return own.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static ImmutableArray<ThingLimit> ReadThings(Section section, LimitScope scope)
    {
        var found = ImmutableArray.CreateBuilder<ThingLimit>();
        foreach (var what in LimitWords.AllThings)
        {
            if (scope == LimitScope.Domains && what is LimitThing.Connections or LimitThing.Concurrency)
                continue;
            if (what == LimitThing.Concurrency)
            {
                if (section.Value(what.Word(), UsageLimitText.KindOf(what), default, "none", DocOf(what)) is { Count: > 0 } atOnce)
                    found.Add(new ThingLimit(what, atOnce));
                continue;
            }

            var limits = section.List(what.Word(), UsageLimitText.KindOf(what), [], "none", DocOf(what));
            foreach (var limit in limits)
            {
                if (limits.Count(other => other.Window == limit.Window) > 1)
                {
                    section.Report(what.Word(), $"two limits within {WindowLimit.Time(limit.Window)}");
                    break;
                }

                found.Add(new ThingLimit(what, limit));
            }
        }

        return found.ToImmutable();
    }

    private static readonly Kind<int> Percent = new(
        "percent",
        "a share from 1% to 100%",
        static (string text, out int value) =>
            int.TryParse(
                text.TrimEnd('%'),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out value)
            && value is >= 1 and <= 100
            && text.EndsWith('%'),
        []);

    private static string DocOf(LimitScope scope) => scope switch
    {
        LimitScope.Logins =>
            "What each login may use: the account whose password it was, whomever it acts for. [limits.md](limits.md) has the rest.",
        LimitScope.Credentials => "What each credential of an account may use, by the keys of `logins`; its name is `lisa@example.org#7`.",
        LimitScope.Tenants => "What all accounts of a tenant may use together, by the keys of `logins`.",
        LimitScope.Addresses =>
            "What each client address may use, with a login or without, by the keys of `logins`. An IPv6 address counts as its /64.",
        LimitScope.Networks => "What each client network may use, with a login or without, by these and the keys of `logins`.",
        LimitScope.Senders => "What may be sent from each sender domain, by the keys of `logins`.",
        _ => "What may be sent to each recipient domain, by the keys of `logins` but `connections` and `concurrency`.",
    };

    private static string DocOf(LimitThing what) => what switch
    {
        LimitThing.Messages => "Accepted messages in a time, such as `500/1h`; several times as a list.",
        LimitThing.Recipients => "Accepted recipients in a time.",
        LimitThing.Bytes => "Octets of accepted messages in a time, such as `2GB/1d`.",
        LimitThing.DistinctRecipients => "Recipients that differ in a time; at most 10000.",
        LimitThing.FailedRecipients =>
            "Recipients that were refused for good in a time, here or by their own server; when all are used, nothing more is taken.",
        LimitThing.Connections => "Sessions in a time, counted with their first MAIL.",
        _ => "Sessions at once, counted from their first MAIL on.",
    };
}
