using System.Collections.Immutable;
using System.Globalization;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;
using Postern.Web.Documents;

namespace Postern.Commands.Explain;

/// <summary>One test of an operator's own: a message, and what is to be decided about it.</summary>
/// <param name="Name">What it is called; its place in the file where nothing else is said.</param>
/// <param name="Place">File and line.</param>
/// <param name="Rule">That is to decide; null for any.</param>
internal sealed record PolicyCase(string Name, string Place, WhatIf Question, Expectation Expected, string? Rule)
{
    private static readonly Kind<string> Sender = new(
        "address", "an address such as lisa@example.org, or \"<>\" for the null sender", TrySender, []);

    private static readonly Kind<Expectation> Outcome = new(
        "outcome", "permit, held, refuse, refuse and a code such as refuse 550, or redirect and an address", Expectation.TryRead, []);

    private static readonly Kind<bool> Yes = Kinds.Word(("true", true), ("false", false));

    /// <summary>The cases of a file; or everything that is wrong with it.</summary>
    public static (ImmutableArray<PolicyCase> Cases, ImmutableArray<ConfigurationError> Errors) Load(string file)
    {
        if (ConfigurationFile.ReadText(file, out var text) is { } unreadable)
            return ([], unreadable.Errors);
        var errors = new List<ConfigurationError>();
        var context = new ReadContext(file, ConfigurationFile.DirectoryOf(file), errors);
        var cases = ConfigDocument.Read(file, text, errors) is { } root ? Section.Read(context, root, string.Empty, ReadFile) : [];
        return (cases, [.. errors.OrderBy(static e => e.Line).ThenBy(static e => e.Column)]);
    }

    private static ImmutableArray<PolicyCase> ReadFile(Section section)
    {
        var cases = section.Children("cases", Read, [], "The tests, in order.");
        if (cases.IsEmpty && !section.HasEmptyList("cases") && !section.Has("cases"))
            section.ReportMissing("cases", "one '- ' for each test");
        else if (cases.IsEmpty)
            section.Report("cases", "there is no test in it", "one '- ' for each test");
        return cases;
    }

    private static PolicyCase Read(Section section)
    {
        var name = section.Value<string?>("name", Kinds.Text!, fallback: null, "its place", "What it is called in the report.");
        var client = section.Required("client", Kinds.IpAddress, "The address of the client.");
        var from = section.Required("from", Sender, "The sender in the envelope.");
        var to = section.Required("to", Kinds.Address, "The recipient.");
        var rule = section.Value<string?>("by", Kinds.Text!, fallback: null, "any", "The rule that is to decide.");
        if (rule is not null && !IsKnown(rule))
            section.Report("by", $"no rule is called {ConfigNode.Quote(rule)}");
        return new PolicyCase(
            name ?? section.PlaceOf("client"),
            section.PlaceOf("client"),
            new WhatIf(client?.ToString() ?? string.Empty, from ?? string.Empty, to?.Address)
            {
                Login = section.Value<string?>("login", Kinds.Text!, fallback: null, "none", "Whose login the session has."),
                IsTls = section.Value("tls", Yes, fallback: false, "false", "The session has TLS."),
                Certificate = section.Value<string?>(
                    "certificate", Kinds.Fingerprint!, fallback: null, "none", "SHA-256 of the certificate that the client shows."),
                Helo = section.Value<string?>("helo", Kinds.Text!, fallback: null, "none", "The name that the client gives."),
                Listener = section.Value<string?>("listener", Kinds.Text!, fallback: null, "the first", "Where the client connects."),
                HeaderFrom = section.Value<string?>(
                    "header_from",
                    Kinds.Text!,
                    fallback: null,
                    "not asked",
                    "What the field From says; without it rules of the header pass."),
            },
            section.Required("expected", Outcome, "What is to be decided.") ?? Expectation.Permit,
            rule);
    }

    /// <summary>Lists that have a name decide by their rules; what decides in the place of a rule has names too.</summary>
    private static bool IsKnown(string rule) =>
        RelayRules.StagesOf(rule).Count > 0 || rule is Decision.EndOfList or Decision.RewrittenSender or Decision.CredentialSenders
            or Decision.Suspended;

    private static bool TrySender(string text, out string value)
    {
        value = text;
        return text is "<>" || Mailbox.TryParse(text, out _);
    }
}

/// <summary>What is to be decided, or was.</summary>
/// <param name="Word"><c>permit</c>, <c>held</c>, <c>redirect</c> or <c>refuse</c>.</param>
/// <param name="Code">Of the reply; null for any, and where it is permitted.</param>
/// <param name="To">Of a redirection.</param>
internal sealed record Expectation(string Word, int? Code = null, string? To = null)
{
    private const string Refuse = "refuse";
    private const string Held = "held";
    private const string Redirect = "redirect";

    public static Expectation Permit { get; } = new("permit");

    /// <summary>What an answer comes to.</summary>
    public static Expectation Of(WhatIfAnswer answer) => answer switch
    {
        { RefusedBefore: { } code } => new Expectation(Refuse, code),
        { Decisions: [{ Reply: { } reply }] } => new Expectation(Refuse, int.Parse(reply.AsSpan(0, 3), CultureInfo.InvariantCulture)),
        { Effects: var effects } when effects.Contains("hold") => new Expectation(Held),
        { Effects: var effects } when effects.FirstOrDefault(IsRedirect) is { } to =>
            new Expectation(Redirect, To: to[(Redirect.Length + 1)..]),
        _ => Permit,
    };

    public static bool TryRead(string text, out Expectation expectation)
    {
        expectation = text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["permit"] => Permit,
            [Held] => new Expectation(Held),
            [Refuse] => new Expectation(Refuse),
            [Refuse, var code] when int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number is >= 400 and <= 599 => new Expectation(Refuse, number),
            [Redirect, var to] when Mailbox.TryParse(to, out var mailbox) => new Expectation(Redirect, To: mailbox.Address),
            _ => null!,
        };
        return expectation is not null;
    }

    /// <summary>A refusal with any code is what is meant where none is named.</summary>
    public bool Fits(Expectation outcome) =>
        Word == outcome.Word && (Code is null || Code == outcome.Code) && string.Equals(To, outcome.To, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Code is { } code
        ? string.Create(CultureInfo.InvariantCulture, $"{Word} {code}")
        : To is null ? Word : $"{Word} {To}";

    private static bool IsRedirect(string effect) => effect.StartsWith(Redirect + " ", StringComparison.Ordinal);
}
