using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>Why something was decided, or what would be.</summary>
/// <param name="Tab">One of <see cref="TabWords"/>.</param>
public sealed record ExplainView(string Tab)
{
    public const string Path = "/explain";
    public const string ReferenceTab = "reference";
    public const string WhatIfTab = "what-if";
    public const string SimulateTab = "simulate";

    public static ImmutableArray<string> TabWords { get; } = [ReferenceTab, WhatIfTab, SimulateTab];

    /// <summary>The names of its query parameters, as the command has them.</summary>
    public static ImmutableArray<string> Names { get; } =
        ["tab", "ref", "client", "login", "credential", "tls", "listener", "from", "to", "helo", "header-from"];

    /// <summary>As it was pasted; null where nothing was.</summary>
    public string? Reference { get; init; }

    /// <summary>Null where nothing was asked.</summary>
    public Part<ExplainedReference>? Found { get; init; }

    public WhatIfFields Question { get; init; } = new();

    /// <summary>Names of listeners to choose from.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>Null where nothing was asked.</summary>
    public Part<WhatIfView>? Answer { get; init; }
}

/// <summary>What the log knows of a reference.</summary>
/// <param name="IsMalformed">It is none.</param>
/// <param name="Repeats">How many more had the same reference and were only counted.</param>
public sealed record ExplainedReference(bool IsMalformed, ImmutableArray<DecisionView> Decisions, ImmutableArray<CoalescedEvent> Repeats);

/// <summary>The question as it was typed.</summary>
public sealed record WhatIfFields
{
    public string? Client { get; init; }

    public string? Login { get; init; }

    public string? Credential { get; init; }

    public bool Tls { get; init; }

    public string? Listener { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    public string? Helo { get; init; }

    public string? HeaderFrom { get; init; }

    /// <summary>Something is asked.</summary>
    public bool IsAsked => Client is not null || From is not null;

    public static WhatIfFields Example { get; } = new()
    {
        Client = "192.0.2.7", Tls = true, From = "app@example.org", To = "lisa@example.com",
    };

    /// <param name="get">The value of a query parameter; null where there is none.</param>
    public static WhatIfFields Read(Func<string, string?> get)
    {
        string? Text(string name) => get(name)?.Trim() is { Length: > 0 and <= 1_000 } text ? text : null;
        return new WhatIfFields
        {
            Client = Text("client"),
            Login = Text("login"),
            Credential = Text("credential"),
            Tls = Text("tls") is "true" or "on",
            Listener = Text("listener"),
            From = Text("from"),
            To = Text("to"),
            Helo = Text("helo"),
            HeaderFrom = Text("header-from"),
        };
    }

    /// <summary>The command that asks the same.</summary>
    public string Command => Shell.Line(
        "postern explain",
        [
            ("--client", Client), ("--login", Login), ("--credential", Credential), ("--listener", Listener), ("--helo", Helo),
            ("--from", From), ("--to", To), ("--header-from", HeaderFrom),
        ]) + (Tls ? " --tls" : null);
}

/// <summary>What would be decided.</summary>
/// <param name="State">Permitted, refused, or that the question is wrong.</param>
/// <param name="Sentence">In one sentence.</param>
public sealed record WhatIfView(State State, string Sentence)
{
    public string? Todo { get; init; }

    /// <summary>The fewest changes that would permit it.</summary>
    public ImmutableArray<string> Change { get; init; } = [];

    /// <summary>Null where no rule was asked.</summary>
    public DecisionView? Decision { get; init; }

    /// <summary>What would become of the message: route, signatures, what rules do with it.</summary>
    public ImmutableArray<Fact> Facts { get; init; } = [];
}
