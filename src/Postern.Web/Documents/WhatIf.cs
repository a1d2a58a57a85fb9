using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Serialization;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;

namespace Postern.Web.Documents;

/// <summary>A message that somebody asks about before it is sent.</summary>
/// <param name="Client">Its address.</param>
/// <param name="From"><c>&lt;&gt;</c> for the null sender.</param>
/// <param name="To">Null where it is asked what is decided before a recipient is named.</param>
internal sealed record WhatIf(string Client, string From, string? To)
{
    /// <summary>In any spelling; null without a login.</summary>
    public string? Login { get; init; }

    /// <summary>Which credential that login is by, as its label or number; null where that is not asked.</summary>
    public string? Credential { get; init; }

    public bool IsTls { get; init; }

    /// <summary>The client showed one.</summary>
    public bool HasCertificate { get; init; }

    /// <summary>Its SHA-256, 64 lower-case hexadecimal digits; null where none is known.</summary>
    public string? Certificate { get; init; }

    /// <summary>The name that the client gives; null for none.</summary>
    public string? Helo { get; init; }

    /// <summary>What From says, empty for a message without it; null where the header is not known.</summary>
    public string? HeaderFrom { get; init; }

    /// <summary>
    /// The credential as a decision has it, <c>#7</c>, which is not looked for: it may be there no more. Null where none proved the login.
    /// </summary>
    public string? ProvenWith { get; init; }

    /// <summary>Whose credential that is; null where it is the login's own.</summary>
    public string? ProvenBy { get; init; }

    /// <summary>The question behind a decision that was made, as far as the log keeps it.</summary>
    public static WhatIf Of(DecisionEvent decision) => new(
        decision.Client, decision.Sender.Length == 0 ? "<>" : decision.Sender, decision.Recipient)
    {
        Login = decision.User,
        IsTls = decision.Tls is not null,
        HasCertificate = decision.Certificate is not null,
        Certificate = decision.Certificate,
        Helo = decision.Helo,
        Listener = decision.Listener,
        ProvenWith = decision.Credential,
        ProvenBy = decision.ProvenBy,
    };

    /// <summary>Null for the first.</summary>
    public string? Listener { get; init; }

    /// <summary>
    /// What would be decided, by the code that decides, and where the message would go then; nothing is written down or counted.
    /// </summary>
    public async ValueTask<WhatIfAnswer> AnswerAsync(RelaySnapshot snapshot, CancellationToken ct)
    {
        var (question, objection) = await AskAsync(snapshot, ct);
        if (question is null)
            return objection!;
        var decided = await snapshot.Policy.DryRunAsync(question, ct);
        var answer = new WhatIfAnswer
        {
            Decisions = [decided.ToAuditEvent()],
            Effects = decided.Effects,
            Change = await snapshot.Policy.ShortestChangeAsync(question, ct),
        };
        if (question.Recipient is not { } recipient)
            return answer;
        var envelope = EnvelopeOf(question.Facts, question.Sender, recipient);
        var delivery = snapshot.Options.Delivery;
        return answer with
        {
            Expansion = ExpansionWord.Of(delivery.Aliases.Explain(envelope, recipient: 0), envelope, delivery.Routes),
            Signing = await SigningWord.OfAsync(snapshot, envelope, decided.Rule, ct),
            Route = RouteWord.Of(delivery.Routes.Choose(envelope, recipient)),
        };
    }

    /// <summary>The question as rules are asked it; or what is decided, or wrong, before any rule is asked.</summary>
    public async ValueTask<(PolicyQuestion? Question, WhatIfAnswer? Objection)> AskAsync(RelaySnapshot snapshot, CancellationToken ct)
    {
        if (!IPAddress.TryParse(Client, out var client))
            return (null, Wrong($"'{Client}' is not an IP address", "Name one client, such as 192.0.2.7."));
        Mailbox? mailbox = null;
        if (From is not "<>" && !Mailbox.TryParse(From, out mailbox))
            return (null, Wrong($"'{From}' is not a mail address", "Write local@domain, or '<>' for the null sender."));
        Mailbox? recipient = null;
        if (To is not null && !Mailbox.TryParse(To, out recipient))
            return (null, Wrong($"'{To}' is not a mail address", "Write local@domain."));
        string[] names = [.. snapshot.Options.Listeners.Select(static l => l.Name)];
        if (snapshot.Options.AuthListeners.FirstOrDefault(l => l.Name.Equals(Listener, StringComparison.OrdinalIgnoreCase)) is { } service)
            return (null, Wrong(
                $"listener '{service.Name}' takes no mail: other servers have logins checked there",
                $"Ask of {string.Join(", ", names)}."));
        if (snapshot.OfferOn(Listener, IsTls, HasCertificate) is not { } offer)
            return (null, Wrong(
                $"there is no listener '{Listener}'{NearestName.Hint(Listener!, names)}", $"There are {string.Join(", ", names)}."));
        if (offer.RequiresTls)
            return (null, No(530, $"530 5.7.0: listener {offer.Listener} takes no mail before STARTTLS", "Ask again with --tls."));

        var sender = new ReversePath(mailbox);
        var facts = await snapshot.FactsOfAsync(offer, client, Login, ct) with { Helo = Helo, Certificate = Certificate };
        if (facts.Login is not null)
            facts = facts with { ProvenBy = ProvenBy ?? facts.Login, Credential = ProvenWith };
        if (Credential is not null)
        {
            var (credential, objection) = await FindCredentialAsync(snapshot, facts, ct);
            if (objection is not null)
                return (null, objection);
            facts = facts with { ProvenBy = facts.Login, Credential = credential!.Id };
        }

        if (snapshot.Options.Listeners.First(l => l.Name == offer.Listener).Clients is { } clients
            && !clients.Any(network => network.Contains(facts.Client)))
            return (null, No(
                554,
                $"554 5.7.1: listener {offer.Listener} takes no connection from {facts.Client}",
                $"Its clients are {string.Join(", ", clients)}."));
        return (new PolicyQuestion(facts, sender, recipient)
        {
            Header = HeaderFrom is { } from ? await snapshot.HeaderOfAsync(facts, sender, from, ct) : null,
        }, null);
    }

    /// <summary>The credential; or why there is no login by it.</summary>
    private async ValueTask<(StoredCredential? Credential, WhatIfAnswer? Objection)> FindCredentialAsync(
        RelaySnapshot snapshot, EnvelopeFacts facts, CancellationToken ct)
    {
        if (facts.Login is not { } login)
            return (null, Wrong("a credential is somebody's", "Say whose: --login USER."));
        var descriptions = snapshot.Accounts.On(facts.Listener).Verifiers.Descriptions;
        return await descriptions.FindCredentialAsync(login, Credential!, facts.Client.ToString(), ct) switch
        {
            null => (null, Wrong($"{login} has no credential '{Credential}'", $"See what there is: postern credential list {login}")),
            ({ } credential, { } why) => (null, No(
                535,
                $"535 5.7.8: {why}",
                $"The client is told nothing more. To change it: postern credential limit {login} {credential.Id?.TrimStart('#')}")),
            var (credential, _) => (credential, null),
        };
    }

    private static Envelope EnvelopeOf(EnvelopeFacts facts, ReversePath sender, Mailbox recipient) => new()
    {
        Id = default,
        ArrivedAt = default,
        Said = new(sender, [recipient]),
        Login = facts.Login,
        Client = facts.Client,
        Listener = facts.Listener,
        Tenant = facts.Tenant,
    };

    private static WhatIfAnswer Wrong(string what, string todo) => new() { Problem = new(what, todo), IsWrong = true };

    /// <param name="code">Of the reply that the client gets before any rule is asked.</param>
    private static WhatIfAnswer No(int code, string what, string todo) => new() { Problem = new(what, todo), RefusedBefore = code };
}

/// <summary>The answer, as <c>explain --json</c> prints it.</summary>
internal sealed record WhatIfAnswer
{
    /// <summary>Why there is no decision; null where there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Objection? Problem { get; init; }

    /// <summary>What is wrong is the question.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsWrong { get; init; }

    /// <summary>The code of a reply that comes before any rule is asked; null where the rules are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RefusedBefore { get; init; }

    /// <summary>The fewest changes that would permit it, all of them needed; empty where it is permitted, or none are known.</summary>
    public ImmutableArray<string> Change { get; init; } = [];

    /// <summary>What the rules would do with the message, by their words; none where it is refused.</summary>
    public ImmutableArray<string> Effects { get; init; } = [];

    /// <summary>One, as it would stand in the log.</summary>
    public ImmutableArray<DecisionEvent> Decisions { get; init; } = [];

    /// <summary>Null without a decision; where the recipient stands for others, it is not asked.</summary>
    public RouteWord? Route { get; init; }

    /// <summary>Null without a decision.</summary>
    public SigningWord? Signing { get; init; }

    /// <summary>What the recipient stands for; null where it stands for itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ExpansionWord? Expansion { get; init; }

    public ConfigurationWord Configuration { get; init; } = new(string.Empty, string.Empty);

    /// <summary>What is wrong, in one line, and what to do about it, in one line.</summary>
    internal sealed record Objection(string What, string Todo);

    /// <summary>What decided.</summary>
    /// <param name="Source">The file, for people.</param>
    internal sealed record ConfigurationWord(string Id, string Source)
    {
        /// <summary>The running server's. False: the file's alone, and what was counted is not known.</summary>
        public bool IsServers { get; init; }

        /// <summary>Absolute; null where there is none.</summary>
        public string? File { get; init; }

        /// <summary>Why it is not what the file says, for people; null where it is.</summary>
        public string? Differs { get; init; }
    }
}

/// <summary>How a message would be signed (DKIM) whose From is of the sender's domain.</summary>
/// <param name="Keys">By the names of their DNS records; empty for none.</param>
/// <param name="Problem">Why it would wait, as it must be signed and cannot be; null where it need not wait.</param>
internal sealed record SigningWord(ImmutableArray<string> Keys, string? Problem)
{
    public static async ValueTask<SigningWord> OfAsync(RelaySnapshot snapshot, Envelope envelope, string rule, CancellationToken ct)
    {
        try
        {
            return new([.. (await snapshot.WouldSignAsync(envelope, rule, ct))?.Split(' ') ?? []], Problem: null);
        }
        catch (DecorationUnavailableException e)
        {
            return new([], e.Message);
        }
    }
}

/// <summary>Where a message would go.</summary>
/// <param name="Route">Which route decides; null where none is for it.</param>
/// <param name="Hop">For people; null where messages are held for want of a route.</param>
internal sealed record RouteWord(string? Route, string? Hop, ImmutableArray<RouteChoice.Passed> PassedOver)
{
    public static RouteWord Of(RouteChoice choice) => new(
        choice.Route, choice.Hop is { } hop ? WordOf(hop) : null, choice.PassedOver);

    private static string WordOf(NextHop hop)
    {
        var name = hop is NextHop.MailExchanger(var domain) ? $"the mail exchangers of {domain.Text}" : hop.Name;
        return hop.Pool is { } pool ? $"{name}, from an address of {pool}" : name;
    }
}

/// <summary>What a recipient stands for, by aliases and forwards.</summary>
/// <param name="From">The file and the line.</param>
/// <param name="Owner">The reverse-path of mail that goes on, where it is a list; null: that of the message.</param>
/// <param name="Count">How many addresses that are; the first of them are named.</param>
/// <param name="Problem">Why mail for it fails; null where it does not.</param>
internal sealed record ExpansionWord(
    string From, string? Owner, int Count, ImmutableArray<ExpansionWord.Target> Targets, string? Problem)
{
    private const int Most = 20;

    public static ExpansionWord? Of(AliasAnswer? answer, Envelope envelope, RouteTable routes) => answer is null
        ? null
        : new ExpansionWord(
            answer.From,
            answer.Owner,
            answer.Targets.Length,
            [.. answer.Targets.Take(Most).Select(one => new Target(
                one.Address.Address, one.Place ?? RouteWord.Of(routes.Choose(envelope, one.Address)).Hop ?? "held: there is no route"))],
            answer.Problem);

    /// <param name="Hop">Where it goes, for people.</param>
    internal sealed record Target(string Address, string Hop);
}
