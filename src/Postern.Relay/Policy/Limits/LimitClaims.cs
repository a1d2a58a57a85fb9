using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Limits;

/// <summary>
/// What a question to the policy claims of each limit that it falls under. Whoever is not known claims nothing: the unknown are not one
/// another.
/// </summary>
internal static class LimitClaims
{
    /// <summary>At MAIL, or for a recipient.</summary>
    public static WindowClaim[] Of(LimitTable table, RuleStage stage, RuleContext context)
    {
        List<WindowClaim>? claims = null;
        var item = 0UL;
        foreach (var scope in table.Scopes)
        {
            if (stage == RuleStage.Sender && scope.Scope == LimitScope.Domains)
                continue;
            if (NameOf(table, scope.Scope, context.Facts, context.Sender, context.Recipient) is not { } name)
                continue;
            var subject = new LimitSubject(scope.Scope, name);
            foreach (var (what, limit) in scope.For(name))
            {
                var claim = new WindowClaim(subject, what, limit, Cost: 1) { WarnAt = WarnAt(scope, limit) };
                switch (what)
                {
                    case LimitThing.Connections or LimitThing.Concurrency when stage == RuleStage.Sender:
                        claim = claim with { Session = context.Facts.Session };
                        break;
                    case LimitThing.Messages or LimitThing.Bytes when stage == RuleStage.Sender || scope.Scope == LimitScope.Domains:
                    case LimitThing.FailedRecipients:
                        claim = claim with { OnlyLooks = true, WarnAt = 0 };
                        break;
                    case LimitThing.Recipients when stage == RuleStage.Recipient:
                        break;
                    case LimitThing.DistinctRecipients when stage == RuleStage.Recipient:
                        item = item != 0 ? item : ItemOf(context.Recipient!);
                        claim = claim with { Item = item };
                        break;
                    default:
                        continue;
                }

                if (!IsLifted(table, claim))
                    (claims ??= new(4)).Add(claim);
            }
        }

        return claims is null ? [] : [.. claims];
    }

    /// <summary>Of a message that is whole.</summary>
    /// <param name="isNamed">Whose tenant it is only its header says: nothing of it has been counted for it.</param>
    public static WindowClaim[] OfMessage(
        LimitTable table, RuleContext context, IReadOnlyList<Mailbox> recipients, long octets, bool isNamed)
    {
        List<WindowClaim>? claims = null;
        foreach (var scope in table.Scopes)
        {
            if (scope.Scope != LimitScope.Domains)
            {
                Add(scope, NameOf(table, scope.Scope, context.Facts, context.Sender, recipient: null));
                continue;
            }

            foreach (var domain in recipients.Select(static one => one.Domain.Text).Distinct(StringComparer.Ordinal))
                Add(scope, domain);
        }

        return claims is null ? [] : [.. claims];

        void Add(ScopeLimits scope, string? name)
        {
            if (name is null)
                return;
            foreach (var (what, limit) in scope.For(name))
            {
                var claim = new WindowClaim(new LimitSubject(scope.Scope, name), what, limit, Cost: 1) { WarnAt = WarnAt(scope, limit) };
                var isLate = isNamed && scope.Scope == LimitScope.Tenants;
                IEnumerable<WindowClaim> of = what switch
                {
                    LimitThing.Messages => [claim],
                    LimitThing.Bytes => [claim with { Cost = Math.Max(1, octets) }],
                    LimitThing.Recipients when isLate => [claim with { Cost = recipients.Count }],
                    LimitThing.DistinctRecipients when isLate => recipients.Select(one => claim with { Item = ItemOf(one) }),
                    LimitThing.FailedRecipients when isLate => [claim with { OnlyLooks = true, WarnAt = 0 }],
                    _ => [],
                };
                (claims ??= new(4)).AddRange(of);
            }
        }
    }

    public static WindowClaim[] OfFailure(LimitTable table, EnvelopeFacts facts, ReversePath sender, Mailbox recipient)
    {
        List<WindowClaim>? claims = null;
        foreach (var scope in table.Scopes)
        {
            if (NameOf(table, scope.Scope, facts, sender, recipient) is not { } name)
                continue;
            foreach (var (what, limit) in scope.For(name))
            {
                if (what == LimitThing.FailedRecipients)
                    (claims ??= new(2)).Add(new WindowClaim(new LimitSubject(scope.Scope, name), what, limit, Cost: 1));
            }
        }

        return claims is null ? [] : [.. claims];
    }

    private static string? NameOf(LimitTable table, LimitScope scope, EnvelopeFacts facts, ReversePath sender, Mailbox? recipient) =>
        scope switch
        {
            LimitScope.Logins => facts.ProvenBy ?? facts.Login,
            LimitScope.Credentials => facts is { ProvenBy: { } owner, Credential: { } credential } ? owner + credential : null,
            LimitScope.Tenants => facts.Tenant?.ToLowerInvariant(),
            LimitScope.Addresses or LimitScope.Networks when facts.Client.Equals(IPAddress.None) => null,
            LimitScope.Addresses => LimitWords.AddressOf(facts.Client),
            LimitScope.Networks => LimitWords.NetworkOf(
                facts.Client,
                facts.Client.AddressFamily == AddressFamily.InterNetwork ? table.PrefixV4 : table.PrefixV6),
            LimitScope.Senders => sender.Mailbox?.Domain.Text,
            LimitScope.Devices => table.Devices.Find(facts.Listener, facts.Client)?.SubjectOf(facts),
            _ => recipient?.Domain.Text,
        };

    private static long WarnAt(ScopeLimits scope, WindowLimit limit) => Math.Max(1, limit.Count * scope.WarnAt / 100);

    private static bool IsLifted(LimitTable table, in WindowClaim claim) =>
        !table.Lifted.IsEmpty && table.Lifted.Contains(new LimitName(claim.Of, claim.What, claim.Limit.Window));

    /// <summary>Nobody can make two mailboxes count as one.</summary>
    private static ulong ItemOf(Mailbox recipient)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(recipient.Canonical), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash) | 1;
    }
}
