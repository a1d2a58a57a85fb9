using System.Globalization;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>Some work of one kind.</summary>
public readonly record struct HashCost(string Kind, long Units)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} x {Units}");
}
