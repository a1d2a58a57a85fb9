using System.Buffers;
using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Rules.Effects;
using Postern.Relay.Policy.Rules.Names;
using Postern.Relay.Policy.Services;

namespace Postern.Relay.Policy;

/// <summary>Every rule there is. A new rule is one file in <c>Rules/</c> and one line here.</summary>
public static class RelayRules
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>Of a rule that needs no more than the client.</summary>
    internal const RuleStage EveryStage =
        RuleStage.Client | RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient | RuleStage.Message;

    internal static ImmutableArray<IRelayRule> All { get; } =
    [
        new Bcc(),
        new CheckAccess(),
        new CheckDevices(),
        new CheckHttpPolicy(),
        new CheckPolicyService(),
        new Defer(),
        new Hold(),
        new Permit(),
        new PermitAuthenticated(),
        new PermitNetworkForDomain(),
        new PermitNetworks(),
        new PermitSystemUser(),
        new PermitTlsClientCertificate(),
        new PrependHeader(),
        new Redirect(),
        new Reject(),
        new RejectSenderLoginMismatch(MismatchOf.Authenticated),
        new RejectClients(),
        new RejectHeaderFromMismatch(),
        new RejectSenderLoginMismatch(MismatchOf.Known),
        new RejectNonFqdnHeloHostname(),
        new RejectNonFqdnRecipient(),
        new RejectNonFqdnSender(),
        new RejectOtherRecipients(),
        new RejectOverLimit(),
        new RejectPlaintextSession(),
        new RejectSenderLoginMismatch(MismatchOf.Anybody),
        new RejectSuppressedRecipient(),
        new RejectTenantMismatch(),
        new RejectUnauthDestination(),
        new RejectSenderLoginMismatch(MismatchOf.Unauthenticated),
        new RejectUnauthPipelining(),
        new RejectUnknownClientHostname(),
        new RejectUnknownHeloHostname(),
        new RejectUnknownRecipientDomain(),
        new RejectUnknownSenderDomain(),
        new RejectUnlistedDomain(),
        new RejectUnlistedNetworkSender(),
        new RejectUnlistedRecipient(),
        new RejectUnverifiedRecipient(),
        new RejectUnverifiedSender(),
        new RewriteHeaderFrom(),
        new RewriteSender(),
        new WatchLogins(),
    ];

    /// <summary>The words of rules that do what a service says.</summary>
    public static ImmutableArray<string> Asking { get; } = ["check_http_policy", "check_policy_service"];

    /// <summary>An entry of <see cref="Asking"/> that permits where the service says so.</summary>
    public static bool MayPermit(RuleEntry entry) =>
        Asking.Contains(entry.PlainWord) && !ArgumentText.Split(entry.Arguments).Contains((TimedQuestion.Ok, TimedQuestion.OkPasses));

    /// <summary>Before the word of a rule or list: what it would decide is told and counted, and nothing comes of it.</summary>
    public const string OnTrial = "warn_if_";

    /// <summary>The words that may stand in the list of a stage.</summary>
    public static ImmutableArray<string> Names(RuleStage stage) =>
        [.. All.Where(rule => rule.Stages.HasFlag(stage)).Select(static rule => rule.Name)];

    /// <summary>What is wrong with a word of the configuration; null when it names a rule that can stand at the stage.</summary>
    public static RuleWordProblem? Check(RuleStage stage, string word)
    {
        word = ListedRule.Plain(word);
        if (Find(word) is { } rule)
            return rule.Stages.HasFlag(stage)
                ? null
                : new RuleWordProblem(word, stage, Nearest: null, $"the rule {word} cannot stand at the {stage.ToWord()} stage");
        var nearest = NearestName.Of(word, Names(stage));
        return new RuleWordProblem(
            word, stage, nearest, nearest is null ? $"no rule is called {word}" : $"no rule is called {word}; {nearest} is the nearest");
    }

    /// <summary>Has the rule of a known word ask for its arguments.</summary>
    public static void Read(RuleStage stage, string word, RuleArguments arguments) => 
        ListedRule.Read(Find(word)!, new RulePlace(word, stage), arguments);

    /// <summary>The argument that a single value behind the word is for; null where there is none.</summary>
    public static string? ShorthandOf(string word) => Find(word)?.Shorthand;

    /// <summary>
    /// The rules that take arguments of their own, and what the reference says of them.
    /// </summary>
    public static IEnumerable<(string Word, string Doc)> WithArguments =>
        from rule in All
        where rule.ArgumentsDoc is not null
        select (rule.Name, rule.ArgumentsDoc);

    /// <summary>The stages at which the rule of a known word can stand.</summary>
    /// <returns>None for a word that names no rule.</returns>
    public static IReadOnlyList<RuleStage> StagesOf(string word) =>
        Find(word) is { Stages: var stages } ? Array.FindAll(Enum.GetValues<RuleStage>(), stage => stages.HasFlag(stage)) : [];

    /// <summary>Why a list cannot have this name; null where it can.</summary>
    public static string? WhyNotCalled(string name) =>
        Find(name) is not null ? $"{name} is the word of a rule"
            : name.StartsWith(OnTrial, StringComparison.Ordinal) ? $"{OnTrial} stands before a word that is on trial"
            : name.Length == 0 || name.AsSpan().ContainsAnyExcept(NameCharacters) ? "a name has lower-case letters, digits and _"
            : null;

    /// <summary>
    /// Why a stage cannot ask a list that has a name, or those that it asks; null where it can, and for the word of a rule.
    /// </summary>
    public static string? WhyNotAsked(
        string word, RuleStage stage, ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> lists) =>
        lists.ContainsKey(ListedRule.Plain(word)) ? new RuleClasses(lists).WhyNot(ListedRule.Plain(word), stage) : null;

    /// <exception cref="ArgumentException">A word names no rule of the stage, or its arguments are wrong.</exception>
    internal static ImmutableArray<ListedRule> Compile(
        RuleStage stage, ImmutableArray<RuleEntry> entries, RuleClasses classes, string? name = null) =>
        [.. entries.Select(entry => Compile(stage, entry, classes, name))];

    /// <summary>The stage as configuration and log write it.</summary>
    public static string ToWord(this RuleStage stage) => stage switch
    {
        RuleStage.Client => "client",
        RuleStage.Helo => "helo",
        RuleStage.Sender => "sender",
        RuleStage.Message => "message",
        _ => "recipient",
    };

    private static ListedRule Compile(RuleStage stage, RuleEntry entry, RuleClasses classes, string? name)
    {
        var word = ListedRule.Plain(entry.Word);
        var isNamed = classes.Has(word);
        if ((isNamed ? classes.WhyNot(word, stage) : classes.WhyNotRule(word, stage)) is { } problem)
            throw new ArgumentException(problem, nameof(entry));
        var rule = isNamed ? new NamedList(word) : classes.Own(word) ?? Find(word)!;
        var arguments = new TextArguments(entry, rule.Shorthand);
        var listed = ListedRule.Read(rule, new RulePlace(entry.Word, stage, name), arguments);
        arguments.MustBeRead();
        return listed;
    }

    private static IRelayRule? Find(string word) =>
        All.FirstOrDefault(rule => ListedRule.Plain(word).Equals(rule.Name, StringComparison.Ordinal));
}
