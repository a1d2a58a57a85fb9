using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls;

/// <summary>
/// Which TLS is used towards mail exchangers, by the domain of the recipient: the rule for that very domain, else the one for the longest
/// <c>.suffix</c> of it, else the default. Routes to named servers say it themselves. A value: equal rules are equal.
/// </summary>
public sealed class DeliveryTls : IEquatable<DeliveryTls>
{
    private readonly FrozenDictionary<string, TlsRule> rules;
    private readonly ImmutableArray<TlsRule> inOrder;

    private DeliveryTls(TlsRule fallback, ImmutableArray<TlsRule> inOrder)
    {
        Default = fallback;
        this.inOrder = inOrder;
        rules = inOrder.ToFrozenDictionary(static r => r.To, StringComparer.Ordinal);
    }

    /// <summary>TLS where it is offered, for everybody.</summary>
    public static DeliveryTls Opportunistic { get; } = new(new TlsRule("*", TlsLevel.Opportunistic), []);

    /// <summary>For every domain that no rule is for.</summary>
    public TlsRule Default { get; }

    public ImmutableArray<TlsRule> Rules => inOrder;

    /// <summary><c>TLS-Required: No</c> in a message counts (RFC 8689 §4.1).</summary>
    public bool HonoursTlsRequiredNo { get; private init; } = true;

    /// <summary>Some rule can prove who receives the mail, so that a message with REQUIRETLS can be passed on (RFC 8689 §4.2.1).</summary>
    public bool CanProve => Default.CanProve || inOrder.Any(static r => r.CanProve);

    /// <summary>Some rule rests on what DNSSEC proves.</summary>
    public bool UsesDane => Default.UsesDane || inOrder.Any(static r => r.UsesDane);

    public bool UsesMtaSts => Default.Level == TlsLevel.MtaSts || inOrder.Any(static r => r.Level == TlsLevel.MtaSts);

    /// <summary>Makes the table; the index of the first rule that is wrong, and why, where there is one.</summary>
    public static (DeliveryTls? Tls, int Index, string? Wrong) Create(TlsRule fallback, ImmutableArray<TlsRule> rules)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Length; i++)
        {
            if (WhyNot(rules[i]) is { } why)
                return (null, i, why);
            if (!known.Add(rules[i].To))
                return (null, i, $"'{rules[i].To}' has a policy already");
        }

        return (new DeliveryTls(fallback, rules), -1, null);
    }

    /// <summary>The same rules, whatever messages say of themselves.</summary>
    public DeliveryTls WithoutTlsRequiredNo() => new(Default, inOrder) { HonoursTlsRequiredNo = false };

    /// <summary>
    /// Whether a sender may do without what a rule asks for. A sender does without what the receiver's domain publishes, never without what
    /// the operator requires.
    /// </summary>
    internal bool IsWaivable(TlsRule rule) => HonoursTlsRequiredNo && rule.UsesDane && rule.Otherwise != TlsOtherwise.Defer;

    /// <summary>The rule for mail to a domain.</summary>
    public TlsRule For(Domain domain)
    {
        if (rules.Count == 0)
            return Default;
        var text = domain.Text;
        if (rules.TryGetValue(text, out var exact))
            return exact;
        for (var dot = text.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = text.IndexOf('.', dot + 1))
        {
            if (rules.TryGetValue(text[dot..], out var below))
                return below;
        }

        return Default;
    }

    public bool Equals(DeliveryTls? other) =>
        other is not null
        && Default.Equals(other.Default)
        && HonoursTlsRequiredNo == other.HonoursTlsRequiredNo
        && inOrder.AsSpan().SequenceEqual(other.inOrder.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as DeliveryTls);

    public override int GetHashCode() => HashCode.Combine(Default, inOrder.Length);

    /// <summary>What is wrong with a rule by itself; null where nothing is.</summary>
    public static string? WhyNot(TlsRule rule)
    {
        var name = rule.To.StartsWith('.') ? rule.To[1..] : rule.To;
        return rule.To == "*" ? "'*' stands for every domain, which is what 'default' is for"
            : rule.To.StartsWith("*.", StringComparison.Ordinal) ? $"every domain below it is written '{rule.To[1..]}', without the star"
            : !Domain.TryParse(name, out var domain) || domain.Literal is not null || domain.Text != name
                ? $"'{rule.To}' is no domain, nor '.' and a domain, in lower case"
            : null;
    }
}

/// <summary>The TLS of mail to one domain.</summary>
/// <param name="To">A domain, <c>.domain</c> for every domain below it, in lower case; <c>*</c> for the default.</param>
public sealed record TlsRule(string To, TlsLevel Level)
{
    /// <summary>With <see cref="TlsLevel.Dane"/> and <see cref="TlsLevel.MtaSts"/>: what holds where nothing is published.</summary>
    public TlsOtherwise Otherwise { get; init; }

    /// <summary>
    /// With <see cref="TlsLevel.Verify"/>: the names one of which the certificate must be for; <c>.domain</c> for every name below it.
    /// Empty: the name of the host.
    /// </summary>
    public ImmutableArray<string> Names { get; init; } = [];

    internal bool UsesDane => Level is TlsLevel.Dane or TlsLevel.MtaSts;

    internal bool CanProve => Level is TlsLevel.Verify or TlsLevel.Dane or TlsLevel.MtaSts;

    public bool Equals(TlsRule? other) => other is not null
        && (To, Level, Otherwise) == (other.To, other.Level, other.Otherwise)
        && Names.AsSpan().SequenceEqual(other.Names.AsSpan());

    public override int GetHashCode() => HashCode.Combine(To, Level, Otherwise, Names.Length);
}
