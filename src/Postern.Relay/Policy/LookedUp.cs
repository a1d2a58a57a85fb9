using Postern.Relay.Policy.Explaining;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>What DNS says of a name, as the answer of a rule that refuses what DNS does not know.</summary>
internal static class LookedUp
{
    /// <param name="unknown">The reply where it is not known.</param>
    /// <param name="unavailable">The reply where nobody answered.</param>
    /// <param name="needs">What DNS would have to say, and of whom: whoever refuses for want of it can do nothing.</param>
    /// <param name="mend">The world in which DNS says it.</param>
    public static RuleAnswer Answer(
        NameAnswer answer, Func<NameAnswer.Unknown, Refusal> unknown, Refusal unavailable, string needs, Mend mend) =>
        answer switch
        {
            NameAnswer.Known => new RuleAnswer.Pass(answer.Saw),
            NameAnswer.Unknown no => new RuleAnswer.Refuse(unknown(no), answer.Saw, (_, _) => new(needs)) { Mend = mend },
            _ => new RuleAnswer.Refuse(unavailable, answer.Saw, static (_, _) => new("mend delivery.dns: no resolver answers"))
            {
                Mend = mend,
                Lacks = Lack.Dns,
            },
        };

    /// <summary>The same of a domain that mail is from or for.</summary>
    public static RuleAnswer Answer(
        NameAnswer answer, Func<NameAnswer.Unknown, Refusal> unknown, Refusal unavailable, Domain domain) =>
        Answer(
            answer,
            unknown,
            unavailable,
            answer is NameAnswer.Unknown { TakesNone: true }
                ? $"whoever runs {domain} has to take its null MX out of DNS: by that it says that it takes no mail"
                : $"whoever runs {domain} has to give it an MX record or an address in DNS",
            world => world.Published.Add(domain));
}
