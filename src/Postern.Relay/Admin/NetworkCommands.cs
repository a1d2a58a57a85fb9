using Dapper;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;

namespace Postern.Relay.Admin;

/// <summary>Changes which networks may send for a domain of the directory without a password.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class NetworkCommands
{
    private readonly DirectoryChanges changes;

    internal NetworkCommands(DirectoryChanges changes) => this.changes = changes;

    /// <summary>Lets clients in <paramref name="cidr"/> send for <paramref name="domain"/>, which must exist, without a password.</summary>
    public AdminOutcome Add(string cidr, string domain)
    {
        if (!NetworkText.TryParse(cidr, out var network, out var problem))
            return new AdminOutcome.Invalid(problem);
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        var text = network.ToString();
        return changes.Change("network add", $"{text} for {name}", sql =>
        {
            if (!DirectoryLookups.HasDomain(sql, name))
                return new AdminOutcome.NotFound($"{DirectoryLookups.NoDomain(sql, name).Message}; to add it: postern domain add {name}");
            return sql.Execute("insert or ignore into networks (domain, cidr) values (@name, @text)", new { name, text }) > 0
                ? new AdminOutcome.Done($"clients in {text} may send for {name}")
                {
                    Changes = [new AdminChange("network", Before: null, text)],
                }
                : new AdminOutcome.AlreadyThere($"clients in {text} may send for {name} already");
        });
    }

    /// <summary>Takes the right away again; with no <paramref name="domain"/>, for every domain.</summary>
    public AdminOutcome Remove(string cidr, string? domain = null)
    {
        if (!NetworkText.TryParse(cidr, out var network, out var problem))
            return new AdminOutcome.Invalid(problem);
        string? name = null;
        if (domain is not null && !MailNames.TryDomain(domain, out name))
            return DirectoryLookups.NotADomain(domain);
        var text = network.ToString();
        var target = name is null ? text : $"{text} for {name}";
        return changes.Change("network remove", target, sql =>
            sql.Execute("delete from networks where cidr = @text and (@name is null or domain = @name)", new { text, name }) > 0
                ? new AdminOutcome.Done($"network {target} removed") { Changes = [new AdminChange("network", text, After: null)] }
                : new AdminOutcome.NotFound($"there is no network {target}"));
    }
}
