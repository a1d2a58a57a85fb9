using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>What is said about some of the mail that leaves. Without a condition it is about all of it.</summary>
public sealed record ShapingEntry
{
    /// <summary>
    /// For mail to the exchangers of one of these domains: <c>example.net</c>, or <c>.example.net</c> for all below it. Empty for any.
    /// </summary>
    public ImmutableArray<string> Domains { get; init; } = [];

    /// <summary>
    /// For mail that goes to a host of one of these names: <c>mx.example.net</c>, or <c>.example.net</c> for all below it. Empty for any.
    /// </summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>For mail that the route of this name decides about, as <see cref="Delivery.Route.Name"/>; null for any.</summary>
    public string? Route { get; init; }

    /// <summary>For mail of this tenant, without case; null for any.</summary>
    public string? Tenant { get; init; }

    /// <summary>It came with the program.</summary>
    public bool IsShipped { get; init; }

    public ImmutableDictionary<ShapingKey, ShapingValue> Values { get; init; } = ImmutableDictionary<ShapingKey, ShapingValue>.Empty;

    /// <summary>It is about all mail.</summary>
    public bool IsDefault => Domains.IsEmpty && Hosts.IsEmpty && Route is null && Tenant is null;

    /// <summary>What it is about, in one line: <c>mx *.example.net</c>, <c>domain example.org, tenant acme</c>, <c>default</c>.</summary>
    public string Name => IsDefault ? "default" : string.Join(
        ", ",
        new[]
        {
            Domains.IsEmpty ? null : $"domain {string.Join('|', Domains)}",
            Hosts.IsEmpty ? null : $"mx {string.Join('|', Hosts.Select(static h => h.StartsWith('.') ? $"*{h}" : h))}",
            Route is null ? null : $"route {Route}",
            Tenant is null ? null : $"tenant {Tenant}",
        }.OfType<string>());

    /// <summary>Where it stands, as its first value does: file and line.</summary>
    public string Source => Values.Values.Select(static v => v.Source).Order(StringComparer.Ordinal).FirstOrDefault(string.Empty);

    /// <summary>How specific its conditions are: the kind of condition first, then the length of its pattern.</summary>
    internal long RankFor(ShapingSubject subject) =>
        ((Domains.IsEmpty ? 0L : 8) + (Hosts.IsEmpty ? 0 : 4) + (Route is null ? 0 : 2) + (Tenant is null ? 0 : 1)) * 1_000_000
            + LengthOf(Domains, subject.Domain) + LengthOf(Hosts, subject.Host);

    internal bool IsFor(ShapingSubject subject) =>
        (Tenant is null || string.Equals(Tenant, subject.Tenant, StringComparison.OrdinalIgnoreCase))
            && (Route is null || string.Equals(Route, subject.Route, StringComparison.Ordinal))
            && (Domains.IsEmpty || LengthOf(Domains, subject.Domain) > 0)
            && (Hosts.IsEmpty || LengthOf(Hosts, subject.Host) > 0);

    /// <summary>The longest pattern that fits, an exact name before any other; 0 where none does.</summary>
    private static int LengthOf(ImmutableArray<string> patterns, string? name)
    {
        if (name is null)
            return 0;
        var longest = 0;
        foreach (var pattern in patterns)
        {
            if (name.Length > pattern.Length && pattern[0] == '.' && name.EndsWith(pattern, StringComparison.OrdinalIgnoreCase))
                longest = Math.Max(longest, pattern.Length);
            else if (name.Equals(pattern, StringComparison.OrdinalIgnoreCase))
                return 1_000;
        }

        return longest;
    }
}

/// <summary>One value of an entry.</summary>
/// <param name="Value">Of the key's type; null: there is no such limit.</param>
/// <param name="Text">As it was written.</param>
/// <param name="Source">Where it stands: file and line, or where it is documented.</param>
public sealed record ShapingValue(object? Value, string Text, string Source);

/// <summary>Some mail that leaves, as far as entries distinguish.</summary>
/// <param name="Domain">Whose exchangers it goes to; null where it does not go to exchangers.</param>
/// <param name="Host">The host it goes to; null where that is not known.</param>
/// <param name="Route">As <see cref="Delivery.Route.Name"/>; null where none decides.</param>
public readonly record struct ShapingSubject(string? Domain, string? Host, string? Route, string? Tenant = null);
