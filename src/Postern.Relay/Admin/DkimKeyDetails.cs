using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Dkim;

namespace Postern.Relay.Admin;

/// <summary>A key that signs mail, as an operator may see it: never the private part.</summary>
/// <param name="Algorithm"><c>rsa</c> or <c>ed25519</c>.</param>
/// <param name="State"><c>pending</c>, <c>active</c>, <c>replaced</c> or <c>retired</c>.</param>
public sealed record DkimKeyDetails(string Domain, string Selector, string Algorithm, int Bits, string State)
{
    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ActivatedAt { get; init; }

    public DateTimeOffset? ReplacedAt { get; init; }

    public DateTimeOffset? RetiredAt { get; init; }

    /// <summary>The server made it, and puts it to use when DNS shows it.</summary>
    public bool IsScheduled { get; init; }

    /// <summary>Where its record stands in DNS, without the final dot.</summary>
    public required string RecordName { get; init; }

    /// <summary>What the record says.</summary>
    public required string RecordText { get; init; }

    /// <summary>The same in strings of at most 255 octets.</summary>
    public ImmutableArray<string> RecordStrings => DkimRecord.Split(RecordText);

    internal DkimAlgorithm Kind => DkimAlgorithms.Find(Algorithm) ?? throw new InvalidOperationException("the table has two");

    internal ImmutableArray<byte> PublicKey { get; init; }

    /// <summary>What DNS shows of it.</summary>
    public ValueTask<DkimDnsAnswer> LookAsync(DkimDns dns, CancellationToken ct) =>
        dns.LookAsync(Domain, Selector, Kind, PublicKey.AsMemory(), ct);

    internal static DkimKeyDetails Of(SigningKeyRow row) => new(row.Domain, row.Selector, row.Algorithm, (int)row.Bits, row.State)
    {
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        ActivatedAt = TimeOf(row.ActivatedAt),
        ReplacedAt = TimeOf(row.ReplacedAt),
        RetiredAt = TimeOf(row.RetiredAt),
        IsScheduled = row.Scheduled != 0,
        RecordName = DkimRecord.NameOf(row.Domain, row.Selector),
        RecordText = $"v=DKIM1; k={row.Algorithm}; p={Convert.ToBase64String(row.PublicKey)}",
        PublicKey = [.. row.PublicKey],
    };

    private static DateTimeOffset? TimeOf(long? milliseconds) =>
        milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
