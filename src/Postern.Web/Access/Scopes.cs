using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Postern.Web.Access;

/// <summary>What a caller may do. A route asks for one; a key has those that it was made with, a person those of the role.</summary>
[Flags]
internal enum Scopes
{
    None = 0,
    StatusRead = 1 << 0,
    MessagesRead = 1 << 1,

    /// <summary>What messages say, which no other scope shows.</summary>
    MessagesContent = 1 << 2,
    MessagesSend = 1 << 3,
    QueueRead = 1 << 4,
    QueueWrite = 1 << 5,
    AccountsRead = 1 << 6,
    AccountsWrite = 1 << 7,
    DomainsRead = 1 << 8,
    DomainsWrite = 1 << 9,
    SuppressionsRead = 1 << 10,
    SuppressionsWrite = 1 << 11,
    EventsRead = 1 << 12,
    PolicySimulate = 1 << 13,
    WebhooksRead = 1 << 14,
    WebhooksWrite = 1 << 15,
    MetricsRead = 1 << 16,

    /// <summary>Has the configuration read again, ends sessions of clients.</summary>
    ServerWrite = 1 << 17,

    /// <summary>Operators, keys, notifications, the configuration.</summary>
    Owner = 1 << 18,
}

/// <summary>The word of each scope, as keys are given them.</summary>
internal static class ScopeWords
{
    public static ImmutableArray<(string Word, Scopes Scope)> All { get; } =
    [
        ("status.read", Scopes.StatusRead),
        ("messages.read", Scopes.MessagesRead),
        ("messages.content", Scopes.MessagesContent),
        ("messages.send", Scopes.MessagesSend),
        ("queue.read", Scopes.QueueRead),
        ("queue.write", Scopes.QueueWrite),
        ("accounts.read", Scopes.AccountsRead),
        ("accounts.write", Scopes.AccountsWrite),
        ("domains.read", Scopes.DomainsRead),
        ("domains.write", Scopes.DomainsWrite),
        ("suppressions.read", Scopes.SuppressionsRead),
        ("suppressions.write", Scopes.SuppressionsWrite),
        ("events.read", Scopes.EventsRead),
        ("policy.simulate", Scopes.PolicySimulate),
        ("webhooks.read", Scopes.WebhooksRead),
        ("webhooks.write", Scopes.WebhooksWrite),
        ("metrics.read", Scopes.MetricsRead),
        ("server.write", Scopes.ServerWrite),
        ("owner", Scopes.Owner),
    ];

    /// <summary>Of one scope.</summary>
    public static string WordOf(Scopes scope) => All.First(one => one.Scope == scope).Word;

    /// <summary>Of several, in the order of the list.</summary>
    public static ImmutableArray<string> WordsOf(Scopes scopes) =>
        [.. All.Where(one => scopes.HasFlag(one.Scope)).Select(static one => one.Word)];

    /// <summary>Words with <c>*</c> behind the dot mean all that begin so.</summary>
    /// <param name="wrong">The first word that is none.</param>
    public static bool TryParse(IEnumerable<string> words, out Scopes scopes, [NotNullWhen(false)] out string? wrong)
    {
        (scopes, wrong) = (Scopes.None, null);
        foreach (var word in words)
        {
            var meant = All.Where(one => one.Word == word
                    || (word.EndsWith(".*", StringComparison.Ordinal) && one.Word.StartsWith(word[..^1], StringComparison.Ordinal)))
                .Aggregate(Scopes.None, static (all, one) => all | one.Scope);
            if (meant == Scopes.None)
            {
                wrong = word;
                return false;
            }

            scopes |= meant;
        }

        return true;
    }
}
