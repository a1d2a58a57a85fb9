using Postern.Relay.Policy.Tenants;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Binds tenants: a message names one in its header only where its login may, and a tenant's mail has a sender of its own domains. Asked
/// first wherever the configuration says something of tenants, written or not; what it finds the message then is.
/// </summary>
internal sealed class RejectTenantMismatch : IRelayRule
{
    public const string Word = "reject_tenant_mismatch";

    private static readonly EnhancedStatus NotAuthorized = new(5, 7, 1);

    public string Name => Word;

    public string Doc =>
        "refuse (550): a header that names a tenant of `tenants` and a login that is not in its `require_login`; a sender outside of the "
            + "`domains` of its tenant. Asked first wherever `tenants` says something of this, written or not";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Message;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        var tenants = context.Options.Tenants;
        var own = context.Facts.Tenant;
        if (context.Header is not { Tenants: { IsDefaultOrEmpty: false } claims })
            return Judge(context, own, tenants.Find(own), own is null ? "of no tenant" : $"of tenant {own}");
        if (context.Facts.Login is not { } login)
            return await context.FindTrustedNetworkAsync(ct) is null
                ? Judge(context, own, tenants.Find(own), "a header of a stranger names a tenant: it is not looked at")
                : NoTenant($"the {claims[0].Field} field needs a login", "not logged in");
        if (claims.Length > 1)
            return NoTenant($"{claims[0].Field} stands in the message more than once", $"{claims.Length} fields name a tenant");
        var (field, name) = claims[0];
        // One that has no such field cannot be named by it.
        var terms = tenants.Find(name) is { Header: { } header } found && string.Equals(header, field, StringComparison.OrdinalIgnoreCase)
            ? found
            : null;
        return terms?.Logins.Contains(login, StringComparer.OrdinalIgnoreCase) is true
            ? Judge(context, terms.Name, terms, $"{field} names tenant {terms.Name}, and {login} may")
            : NotItsOwn(field, login, name, terms);
    }

    /// <summary>In the same words whether there is such a tenant.</summary>
    private static RuleAnswer.Refuse NotItsOwn(string field, string login, string name, TenantTerms? named)
    {
        var said = $"{field} rejected: user {login} may not name this tenant";
        var saw = $"{field} says '{name}', and {login} is in no require_login of a tenant of this name";
        return named is null
            ? NoTenant(said, saw)
            : new(
                new Refusal(550, NotAuthorized, said),
                saw,
                (_, _) => new($"add {login} to tenants.{named.Name}.require_login in postern.yaml"))
            {
                Mend = world => world.Tenants.Add(t => t.Name == named.Name ? t with { Logins = t.Logins.Add(login) } : t),
            };
    }

    private static RuleAnswer.Refuse NoTenant(string said, string saw) =>
        new(new Refusal(550, NotAuthorized, said), saw, static (_, _) => new("have the client name no tenant"))
        {
            Mend = static world => world.NamesNoTenant = true,
        };

    private static RuleAnswer Judge(RuleContext context, string? tenant, TenantTerms? terms, string saw) =>
        terms is { Domains.IsEmpty: false } && context.Sender.Mailbox is { } sender
            && !(sender.Domain is Domain domain && terms.Domains.Contains(domain))
            ? new RuleAnswer.Refuse(
                new Refusal(550, NotAuthorized, $"{context.Sender}: Sender address rejected: not a domain of tenant {terms.Name}"),
                $"{saw}, whose domains are {string.Join(", ", terms.Domains.Select(static d => d.Text))}",
                (_, _) => new($"add {sender.Domain.Text} to tenants.{terms.Name}.domains in postern.yaml"))
            {
                Mend = sender.Domain.Literal is not null
                    ? null
                    : world => world.Tenants.Add(t => t.Name == terms.Name ? t with { Domains = t.Domains.Add(sender.Domain) } : t),
            }
            : new RuleAnswer.Pass(saw) { Effect = tenant is null ? null : new MessageEffect.Tenant(tenant) };
}
