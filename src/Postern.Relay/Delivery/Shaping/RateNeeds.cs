using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>What a transaction has to wait for: every one of these rates must allow for it.</summary>
internal sealed record RateNeeds(ImmutableArray<RateNeed> Each)
{
    public static RateNeeds None { get; } = new([]);

    /// <param name="applying">The entries about the mail, the one that counts most first.</param>
    /// <param name="hop">Whose own are the rates that are said of all mail.</param>
    public static RateNeeds Of(ImmutableArray<ShapingEntry> applying, string hop)
    {
        ImmutableArray<RateNeed>.Builder? needs = null;
        foreach (var key in ShapingKey.Paces)
        {
            foreach (var (entry, said) in ShapingTable.FindTogether(applying, key))
            {
                if (said.Value is Rate rate)
                    (needs ??= ImmutableArray.CreateBuilder<RateNeed>()).Add(
                        new RateNeed(entry.IsDefault ? $"destination {hop}" : entry.Name, key, rate, said));
            }
        }

        return needs is null ? None : new RateNeeds(needs.ToImmutable());
    }
}

/// <summary>One of them.</summary>
/// <param name="Scope">Whose mail shares the rate.</param>
/// <param name="Said">Where it stands.</param>
internal sealed record RateNeed(string Scope, ShapingKey<Rate> Key, Rate Rate, ShapingValue Said)
{
    public string Words => $"{Key.Name} {Said.Text} for {Scope} ({Said.Source})";
}

/// <summary>What one transaction takes of each rate.</summary>
internal readonly record struct RateLoad(int Recipients, long Octets)
{
    public double Of(ShapingKey<Rate> key) => key == ShapingKey.Messages ? 1 : key == ShapingKey.Recipients ? Recipients : Octets;
}
