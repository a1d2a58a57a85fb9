using System.Collections.Immutable;
using Postern.Relay.Delivery.Aliases;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Senders;

/// <summary>
/// For whom mail that an alias or a forward sends on gets a rewritten sender: who checks SPF would refuse it from here else. That is asked
/// when names are expanded.
/// </summary>
internal static class ForwardedSenders
{
    /// <summary>
    /// Which of <paramref name="targets"/>: those in domains of others, where the sender is of others too. None of a report, and of a
    /// list: its owner is here.
    /// </summary>
    /// <exception cref="Accounts.DirectoryUnavailableException">Whose the domains are cannot be told.</exception>
    public static async ValueTask<ImmutableArray<int>> ForAsync(
        DeliveryOptions options, Mailbox? sender, ImmutableArray<AliasGroup.Target> targets, CancellationToken ct)
    {
        if (options.Srs is not { } srs || sender is null || await IsOursAsync(sender.Domain, isSender: true).ConfigureAwait(false))
            return [];
        var found = ImmutableArray.CreateBuilder<int>();
        var known = new Dictionary<Domain, bool>();
        for (var i = 0; i < targets.Length; i++)
        {
            var (address, _, isPlace, isOpen) = targets[i];
            if (isPlace || isOpen)
                continue;
            if (!known.TryGetValue(address.Domain, out var isOurs))
                known[address.Domain] = isOurs = await IsOursAsync(address.Domain, isSender: false).ConfigureAwait(false);
            if (!isOurs)
                found.Add(i);
        }

        return found.DrainToImmutable();

        async ValueTask<bool> IsOursAsync(Domain domain, bool isSender) =>
            domain.Equals(srs.Domain)
            || options.Domains.Contains(domain)
            || (options.Directory is { } directory
                && (isSender
                    ? await directory.IsListedAsync(domain, ct).ConfigureAwait(false)
                    : await directory.AcceptsRecipientsAsync(domain, ct).ConfigureAwait(false)));
    }
}
