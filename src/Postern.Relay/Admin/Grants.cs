using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Admin;

/// <summary>As whom an account may send and act, in the canonical spelling of all names; and how that stands in the database.</summary>
internal sealed record Grants(ImmutableArray<string> Addresses, ImmutableArray<string> Domains, ImmutableArray<string> ActsAs)
{
    public static Grants None { get; } = new([], [], []);

    public bool IsEmpty => Addresses.IsEmpty && Domains.IsEmpty && ActsAs.IsEmpty;

    private string Senders => string.Join(", ", Addresses.Concat(Domains.Select(d => $"any address of {d}")));

    /// <param name="may">The verb before it: <c>may</c>, <c>may now</c>.</param>
    public string Said(string may)
    {
        var sends = Senders.Length > 0 ? $"{may} send as {Senders}" : string.Empty;
        var acts = ActsAs.IsEmpty ? string.Empty : $"{may} act as {string.Join(", ", ActsAs)}";
        return string.Join(" and ", ((string[])[sends, acts]).Where(static t => t.Length > 0));
    }

    public override string ToString() => string.Join(
        ", ", Addresses.Concat(Domains.Select(d => $"any address of {d}")).Concat(ActsAs.Select(n => $"to act as {n}")));

    /// <summary>Gives them to the account of this number; says how many it had not.</summary>
    public int Insert(SqliteConnection sql, long id) =>
        sql.Execute(
            "insert or ignore into account_addresses (account_id, address) values (@id, @address)",
            Addresses.Select(address => new { id, address }))
        + sql.Execute(
            "insert or ignore into account_domains (account_id, domain) values (@id, @domain)",
            Domains.Select(domain => new { id, domain }))
        + sql.Execute(
            "insert or ignore into account_act_as (account_id, name) values (@id, @name)", ActsAs.Select(name => new { id, name }));

    /// <summary>Takes them from it; says how many it had.</summary>
    public int Delete(SqliteConnection sql, long id) =>
        sql.Execute(
            "delete from account_addresses where account_id = @id and address = @address",
            Addresses.Select(address => new { id, address }))
        + sql.Execute(
            "delete from account_domains where account_id = @id and domain = @domain", Domains.Select(domain => new { id, domain }))
        + sql.Execute("delete from account_act_as where account_id = @id and name = @name", ActsAs.Select(name => new { id, name }));

    /// <summary>Those of the account of this number.</summary>
    public static Grants Of(SqliteConnection sql, long id) => new(
        [.. sql.Query<string>("select address from account_addresses where account_id = @id order by address", new { id })],
        [.. sql.Query<string>("select domain from account_domains where account_id = @id order by domain", new { id })],
        [.. sql.Query<string>("select name from account_act_as where account_id = @id order by name", new { id })]);

    /// <summary>What is different, each list whole as it was and as it is.</summary>
    public ImmutableArray<AdminChange> ChangesTo(Grants after) =>
    [
        .. new (string Field, ImmutableArray<string> Before, ImmutableArray<string> After)[]
            {
                ("addresses", Addresses, after.Addresses), ("domains", Domains, after.Domains), ("acts_as", ActsAs, after.ActsAs),
            }
            .Where(static list => !list.Before.SequenceEqual(list.After))
            .Select(static list => new AdminChange(list.Field, TextOf(list.Before), TextOf(list.After))),
    ];

    private static string? TextOf(ImmutableArray<string> names) => names.IsEmpty ? null : string.Join(", ", names);

    /// <summary>Reads what an operator typed, or a file says; the first that is none is the problem.</summary>
    public static bool TryRead(
        ImmutableArray<string> addresses,
        ImmutableArray<string> domains,
        ImmutableArray<string> actsAs,
        out Grants grants,
        out AdminOutcome.Invalid problem)
    {
        var first = (AdminOutcome.Invalid?)null;
        grants = new Grants(
            Read(addresses, MailNames.TryAddress, "a mail address", ref first),
            Read(domains, MailNames.TryDomain, "a mail domain", ref first),
            Read(actsAs, LoginNames.TryCanonical, "a name that an account can have", ref first));
        problem = first!;
        return first is null;
    }

    private static ImmutableArray<string> Read(ImmutableArray<string> texts, Reader reader, string what, ref AdminOutcome.Invalid? problem)
    {
        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var text in texts.IsDefault ? [] : texts)
        {
            if (reader(text, out var canonical))
                names.Add(canonical);
            else
                problem ??= new($"'{text}' is not {what}");
        }

        return names.ToImmutable();
    }

    private delegate bool Reader(string text, [NotNullWhen(true)] out string? canonical);
}
