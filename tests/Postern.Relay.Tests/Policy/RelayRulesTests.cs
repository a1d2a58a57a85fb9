using Postern.Relay.Policy;
using Postern.Relay.Policy.Own;

namespace Postern.Relay.Tests.Policy;

/// <summary>The kept list of rules, and the words of the configuration.</summary>
public sealed class RelayRulesTests
{
    [Fact]
    public void Every_rule_class_is_in_the_list()
    {
        var missing = typeof(IRelayRule).Assembly.GetTypes()
            .Where(static type => type.IsAssignableTo(typeof(IRelayRule)) && type is { IsInterface: false, IsAbstract: false })
            .Except([.. RelayRules.All.Select(static rule => rule.GetType()), typeof(NamedList), typeof(OwnRule)])
            .Select(static type => $"add `new {type.Name}(),` to RelayRules.All");
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_rule_has_a_name_of_its_own_in_the_words_of_its_class()
    {
        // A rule that has forms, each with a name, is of one class, which the plain form is called by.
        Assert.All(
            RelayRules.All.GroupBy(static rule => rule.GetType().Name),
            static forms => Assert.Contains(forms.Key, forms.Select(static rule => string.Concat(rule.Name.Split('_').Select(static word => char.ToUpperInvariant(word[0]) + word[1..])))));
        Assert.Distinct(RelayRules.All.Select(static rule => rule.Name));
        Assert.DoesNotContain(Decision.EndOfList, RelayRules.All.Select(static rule => rule.Name));
    }

    [Fact]
    public void The_default_lists_are_made_of_known_words()
    {
        var options = new PolicyOptions();
        Assert.All(options.SenderRules, static word => Assert.Null(RelayRules.Check(RuleStage.Sender, word.Word)));
        Assert.All(options.RecipientRules, static word => Assert.Null(RelayRules.Check(RuleStage.Recipient, word.Word)));
    }

    [Theory]
    [InlineData("permit_authenticate", "permit_authenticated")]
    [InlineData("permit_sasl_authenticated", "permit_authenticated")]
    [InlineData("Permit_Networks", "permit_networks")]
    [InlineData("reject_unauth_destinaton", "reject_unauth_destination")]
    [InlineData("xyz", null)]
    [InlineData("", null)]
    public void An_unknown_word_is_a_value_that_names_the_nearest(string word, string? nearest)
    {
        var problem = RelayRules.Check(RuleStage.Recipient, word);
        Assert.NotNull(problem);
        Assert.Equal(nearest, problem.Nearest);
        Assert.Contains(nearest ?? "no rule is called", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_that_needs_a_recipient_cannot_stand_at_the_sender_stage()
    {
        Assert.Equal("the rule reject_unauth_destination cannot stand at the sender stage", RelayRules.Check(RuleStage.Sender, "reject_unauth_destination")?.Message);
        Assert.Throws<ArgumentException>(() => new Judge(new PolicyOptions { SenderRules = ["reject_unauth_destination"] }));
    }

    [Theory]
    [InlineData("k7m3q9", "K7M3Q9")]
    [InlineData(" oil3q9 ", "0113Q9")]
    [InlineData("DRYRUN", null)]
    [InlineData("K7M3Q", null)]
    [InlineData(null, null)]
    public void A_reference_is_read_as_people_write_it(string? text, string? reference)
    {
        Assert.Equal(reference is not null, DecisionReference.TryParse(text, out var read));
        Assert.Equal(reference, read);
    }

    [Fact]
    public void References_differ_and_read_back()
    {
        var references = Enumerable.Range(0, 1_000).Select(static _ => DecisionReference.New()).ToList();
        Assert.All(references, static reference => Assert.True(DecisionReference.TryParse(reference, out var read) && read == reference));
        Assert.InRange(references.Distinct(StringComparer.Ordinal).Count(), 990, 1_000);
    }
}
