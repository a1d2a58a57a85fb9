using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;

namespace Postern.Relay.Admin;

/// <summary>
/// What a credential is to be limited to, as an operator typed it. What is default stays as it is; what is empty is lifted.
/// </summary>
/// <param name="Listeners">By name; that there are such listeners is the caller's to know.</param>
/// <param name="Networks">In CIDR, or one address.</param>
/// <param name="Senders">Addresses, or <c>@</c> and a domain.</param>
public sealed record CredentialScope(
    ImmutableArray<string> Listeners = default, ImmutableArray<string> Networks = default, ImmutableArray<string> Senders = default)
{
    /// <summary>As it is now.</summary>
    public static CredentialScope Same { get; } = new();

    /// <summary>
    /// True: it belongs to the network that uses it next. False: to none, and one that it belonged to is forgotten. Null: as it is.
    /// </summary>
    public bool? FirstNetwork { get; init; }

    internal bool IsSame => Listeners.IsDefault && Networks.IsDefault && Senders.IsDefault && FirstNetwork is null;

    /// <summary>The limits that follow; false and a problem where something is not what it should be.</summary>
    internal bool TryApply(
        CredentialLimits before, [NotNullWhen(true)] out CredentialLimits? after, [NotNullWhen(false)] out AdminOutcome.Invalid? problem)
    {
        (after, problem) = (null, null);
        var networks = before.Networks;
        if (!Networks.IsDefault)
        {
            networks = [];
            foreach (var text in Networks)
            {
                if (!NetworkText.TryParse(text, out var network, out var wrong))
                {
                    problem = new(wrong);
                    return false;
                }

                networks = networks.Add(network);
            }
        }

        var senders = before.Senders;
        if (!Senders.IsDefault)
        {
            senders = [];
            foreach (var text in Senders)
            {
                if (!TrySender(text, out var sender))
                {
                    problem = new($"'{text}' is neither a mail address nor @ and a domain");
                    return false;
                }

                senders = senders.Add(sender);
            }
        }

        after = new CredentialLimits
        {
            Listeners = Listeners.IsDefault ? before.Listeners : Sorted(Listeners, StringComparer.OrdinalIgnoreCase),
            Networks = Sorted(networks, EqualityComparer<IPNetwork>.Default),
            Senders = Sorted(senders, StringComparer.Ordinal),
            IsFirstNetwork = FirstNetwork ?? before.IsFirstNetwork,
            Bound = FirstNetwork is null ? before.Bound : null,
        };
        return true;
    }

    /// <summary>Puts limits in the place of those that the credential of this number has.</summary>
    internal static void Write(SqliteConnection sql, long id, CredentialLimits limits, DateTimeOffset? boundAt)
    {
        sql.Execute(
            "update credentials set first_network = @first, bound_network = @bound, bound_at = @at where id = @id",
            new { id, first = limits.IsFirstNetwork, bound = limits.Bound?.ToString(), at = boundAt?.ToUnixTimeMilliseconds() });
        sql.Execute("delete from credential_limits where credential_id = @id", new { id });
        sql.Execute(
            "insert into credential_limits (credential_id, kind, value) values (@id, @kind, @value)",
            limits.Listeners.Select(value => new { id, kind = "listener", value })
                .Concat(limits.Networks.Select(network => new { id, kind = "network", value = network.ToString() }))
                .Concat(limits.Senders.Select(value => new { id, kind = "sender", value })));
    }

    /// <summary>What is different, for the log.</summary>
    internal static IEnumerable<AdminChange> ChangesOf(CredentialLimits before, CredentialLimits after)
    {
        (string Field, string? Before, string? After)[] all =
        [
            ("listeners", TextOf(before.Listeners), TextOf(after.Listeners)),
            ("networks", TextOf(before.Networks), TextOf(after.Networks)),
            ("senders", TextOf(before.Senders), TextOf(after.Senders)),
            ("first_network", FirstOf(before), FirstOf(after)),
        ];
        return all.Where(static one => one.Before != one.After).Select(static one => new AdminChange(one.Field, one.Before, one.After));
    }

    private static string? FirstOf(CredentialLimits limits) => !limits.IsFirstNetwork ? null : limits.Bound?.ToString() ?? "the next";

    private static string? TextOf<T>(ImmutableArray<T> all) => all.IsEmpty ? null : string.Join(", ", all);

    /// <summary>In the order in which the database has them, each once.</summary>
    private static ImmutableArray<T> Sorted<T>(ImmutableArray<T> all, IEqualityComparer<T> comparer)
        where T : notnull =>
        [.. all.Distinct(comparer).OrderBy(static one => one.ToString(), StringComparer.Ordinal)];

    private static bool TrySender(string text, [NotNullWhen(true)] out string? sender)
    {
        if (!text.StartsWith('@'))
            return MailNames.TryAddress(text, out sender);
        sender = MailNames.TryDomain(text[1..], out var domain) ? $"@{domain}" : null;
        return sender is not null;
    }
}

/// <summary>Other limits for a credential, or another end.</summary>
/// <param name="Credential">Its label, or its number with or without <c>#</c>; may be null when the account has but one.</param>
public sealed record LimitCredential(string Account, string? Credential, CredentialScope Scope)
{
    /// <summary>Counted from now; null leaves its end as it is.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>It has no end from now on.</summary>
    public bool NeverExpires { get; init; }
}
