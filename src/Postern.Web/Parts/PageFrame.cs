using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>What every page shows around what it is about: who looks, at which server, and how he likes it.</summary>
/// <param name="Now">When the page was made: all relative times on it are told from there.</param>
/// <param name="Server">The host name.</param>
/// <remarks>Razor makes its components public; so are the records that they are given.</remarks>
public sealed record PageFrame(DateTimeOffset Now, string Server, State State)
{
    /// <summary>The path and the query of this page, to come back to it.</summary>
    public string Url { get; init; } = "/";

    /// <summary>Who looks, as the log has him.</summary>
    public string Who { get; init; } = string.Empty;

    /// <summary>What he may, in a word.</summary>
    public string? Role { get; init; }

    /// <summary>The tenant beyond which nothing is shown; null for who sees the whole server.</summary>
    public string? Tenant { get; init; }

    public Preferences Preferences { get; init; } = Preferences.Default;

    /// <summary>The zone of times for who wants local ones, until a script knows better.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>What is in the search box of the header.</summary>
    public string Search { get; init; } = string.Empty;

    /// <summary>Names of query parameters that this page does not know.</summary>
    public ImmutableArray<string> Ignored { get; init; } = [];

    /// <summary>When what is shown was true, where it cannot be had anew; null where it is of now.</summary>
    public DateTimeOffset? StaleSince { get; init; }

    /// <summary>Where events come from that make the page come anew; null where it does not.</summary>
    public string? Live { get; init; }

    /// <summary>Without a script, the page comes anew by itself.</summary>
    public bool Refreshes { get; init; }

    /// <summary>What a form that changes something must bring; null where none does.</summary>
    public FormToken? Token { get; init; }

    /// <summary>What was done by the form that led here; null where none did.</summary>
    public string? Notice { get; init; }
}

/// <summary>The field that shows that a form is one of ours.</summary>
public sealed record FormToken(string Name, string Value);
