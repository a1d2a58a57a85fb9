using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Dkim.Verification;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Session;

namespace Postern.Relay.Dkim.Arc;

/// <summary>
/// Seals mail from outside that an alias, a forward or a list sends on to a domain of others (RFC 8617): says what its own signatures were
/// worth when it came, as SPF and often DKIM fail behind this server. It needs an RSA key of the domain that the mail was for, or of the
/// one that is named. Mail is never held for it: what cannot be judged or sealed goes as it is.
/// </summary>
public sealed class ArcSealer : IContentDecorator
{
    private const int MostDomainsAbove = 5;

    private readonly DkimKeyRing keys;
    private readonly TimeProvider clock;
    private volatile Settings settings;

    /// <param name="signer">Has the keys.</param>
    internal ArcSealer(DkimSigner signer, ArcOptions how, DeliveryOptions delivery, TimeProvider clock)
    {
        (keys, this.clock) = (signer.Keys, clock);
        settings = new Settings(how, delivery, DnsCache.Of(delivery, clock));
    }

    /// <summary>Answers questions for TXT records in the place of the resolvers; null for nobody.</summary>
    internal Func<string, CancellationToken, ValueTask<DnsAnswer>>? Query { private get; init; }

    /// <summary>Goes on with other settings.</summary>
    public void Apply(ArcOptions how, DeliveryOptions delivery) => settings = new Settings(how, delivery, DnsCache.Of(delivery, clock));

    /// <inheritdoc/>
    public async ValueTask<Decoration> HeaderAsync(
        Envelope envelope, ReadOnlyMemory<byte> before, ISpoolContent content, CancellationToken ct)
    {
        var now = settings;
        if (!now.How.Seals
            || envelope is not { IsInbound: true, Expanded: { } expanded }
            || !await LeavesAsync(envelope, now.Delivery, ct).ConfigureAwait(false)
            || await ChooseAsync(expanded, now.How, ct).ConfigureAwait(false) is not { } key)
            return default;
        using var head = await ContentHead.ReadAsync(before, content, ct).ConfigureAwait(false);
        var fields = new FieldIndex(head.HeaderOctets);
        var chain = ArcChain.Read(fields);
        // What has failed once has failed, and a set more than there may be would make it fail (§5.1).
        if (chain.HasFailedBefore || chain.Highest >= ArcChain.MostSets || (chain.IsThere && chain.Highest == 0))
            return default;
        var signed = new ArrayBufferWriter<byte>(head.Header.Length + 1);
        if (SignedFields.Write(signed, head.Header, DkimCanonicalization.Relaxed, withSignatures: true) is not { } names)
            return default;
        var bodies = new BodyHashes();
        bodies.TryAsk(DkimCanonicalization.Relaxed, length: null);
        if (chain.Newest is { } newest)
            bodies.TryAsk(newest.Body, newest.Length);
        var dkim = new DkimResults(fields, bodies);
        await bodies.ReadAsync(head, content, envelope.Parameters.Body == BodyType.BinaryMime, ct).ConfigureAwait(false);
        var (results, verdict) = await JudgeAsync(fields, bodies, dkim, chain, now, ct).ConfigureAwait(false);
        if (verdict is ArcVerdict.Unknown)
            return default;
        var set = new ArcSet(chain.Highest + 1, key, envelope.ArrivedAt);
        var said = set.Results(now.Delivery.Hostname.Text, results, verdict, envelope.Client);
        var signature = set.MessageSignature(names, signed.WrittenSpan, bodies.Of(DkimCanonicalization.Relaxed, length: null));
        var seal = set.Seal(verdict, verdict is ArcVerdict.Pass ? chain.SignedBefore(chain.Highest) : [], said, signature);
        return new Decoration(Encoding.ASCII.GetBytes(seal + signature + said)) { SignedBy = $"arc:{key.RecordName}" };
    }

    /// <summary>All that waits for DNS, in the time that there is for it.</summary>
    private async ValueTask<(ImmutableArray<DkimResult> Dkim, ArcVerdict Chain)> JudgeAsync(
        FieldIndex fields, BodyHashes bodies, DkimResults dkim, ArcChain chain, Settings now, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(now.How.LookUpTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        var lookup = new KeyLookup(Query ?? ((name, inTime) => now.Dns.QueryAsync(name, DnsType.Txt, inTime)), either.Token, ct);
        var check = new SignatureCheck(fields, bodies, lookup, clock.GetUtcNow());
        var verdict = await chain.JudgeAsync(check, lookup).ConfigureAwait(false);
        return (await dkim.VerifyAsync(check).ConfigureAwait(false), verdict);
    }

    /// <summary>Some recipient is of a domain of others; where that cannot be told, it is taken to be.</summary>
    private static async ValueTask<bool> LeavesAsync(Envelope envelope, DeliveryOptions delivery, CancellationToken ct)
    {
        for (var i = 0; i < envelope.Recipients.Length; i++)
        {
            var domain = envelope.Recipients[i].Domain;
            if (envelope.Expanded!.Places.Contains(i) || envelope.Expanded.Open.Contains(i) || delivery.Domains.Contains(domain))
                continue;
            try
            {
                if (delivery.Directory is null || !await delivery.Directory.AcceptsRecipientsAsync(domain, ct).ConfigureAwait(false))
                    return true;
            }
            catch (DirectoryUnavailableException)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The RSA key, which every verifier knows, of a domain that the mail was for, or one above it; else of the one that is named.
    /// </summary>
    private async ValueTask<ActiveKey?> ChooseAsync(Expansion expanded, ArcOptions how, CancellationToken ct)
    {
        foreach (var name in expanded.Through.Select(static m => m.Domain).Distinct().Append(how.Domain))
        {
            var domain = name is { Literal: null } ? name.Text : null;
            for (var above = 0; domain is not null && above <= MostDomainsAbove; above++)
            {
                if (await FindAsync(domain, ct).ConfigureAwait(false) is { } key)
                    return key;
                domain = DkimSigner.Above(domain);
            }
        }

        return null;
    }

    private async ValueTask<ActiveKey?> FindAsync(string domain, CancellationToken ct)
    {
        try
        {
            return (await keys.FindAsync(domain, ct).ConfigureAwait(false))
                .FirstOrDefault(static key => key.Key.Algorithm == DkimAlgorithm.Rsa);
        }
        catch (DecorationUnavailableException)
        {
            return null; // told of by the ring; without a seal the mail is what it was
        }
    }

    private sealed record Settings(ArcOptions How, DeliveryOptions Delivery, DnsCache Dns);
}
