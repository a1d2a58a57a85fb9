using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// Whose logins an entry of <c>accounts</c> is asked for, by the name alone. Equal by what they say.
/// </summary>
public sealed class LoginPatterns : IEquatable<LoginPatterns>
{
    private readonly ImmutableArray<Pattern> patterns;
    private readonly string text;

    private LoginPatterns(ImmutableArray<Pattern> patterns)
    {
        this.patterns = patterns;
        text = string.Join(", ", patterns.Select(static p => p.Text));
    }

    /// <summary>
    /// Reads <c>@example.org</c> (every login at that domain), <c>@.example.org</c> (at every domain below it), a whole name, or one with a
    /// star for any characters, such as <c>robot-*</c>.
    /// </summary>
    /// <param name="problem">What is wrong with the first that is none.</param>
    public static LoginPatterns? Parse(IEnumerable<string> texts, out string? problem)
    {
        var read = ImmutableArray.CreateBuilder<Pattern>();
        problem = null;
        foreach (var written in texts)
        {
            if (!LoginNames.TryCanonical(written, out var canonical))
                problem = $"'{written}' is not a name that an account can have";
            else if (canonical.Count('*') > 1)
                problem = $"'{written}' has more than one star";
            else if (canonical is "@" or "@.")
                problem = $"'{written}' names no domain";
            else
                read.Add(Pattern.Of(canonical));
            if (problem is not null)
                return null;
        }

        return new LoginPatterns(read.ToImmutable());
    }

    /// <param name="user">In canonical form.</param>
    public bool Include(string user)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.Fits(user))
                return true;
        }

        return false;
    }

    public bool Equals(LoginPatterns? other) => other is not null && text == other.text;

    public override bool Equals(object? obj) => Equals(obj as LoginPatterns);

    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary>As they were written, in canonical form.</summary>
    public override string ToString() => text;

    /// <param name="Below">The suffix is that of a domain, with its first dot.</param>
    private readonly record struct Pattern(string Text, string Prefix, string Suffix, bool IsWhole, bool Below)
    {
        public static Pattern Of(string text)
        {
            if (text.StartsWith("@.", StringComparison.Ordinal))
                return new(text, string.Empty, text[1..], IsWhole: false, Below: true);
            var star = text.IndexOf('*', StringComparison.Ordinal);
            if (star < 0)
                return new(text, string.Empty, text, IsWhole: text[0] != '@', Below: false);
            return new(text, text[..star], text[(star + 1)..], IsWhole: false, Below: false);
        }

        public bool Fits(string user)
        {
            if (IsWhole)
                return user == Suffix;
            if (Below)
                return user.LastIndexOf('@') is >= 0 and var at && user.AsSpan(at + 1).EndsWith(Suffix, StringComparison.Ordinal);
            return user.Length >= Prefix.Length + Suffix.Length
                && user.StartsWith(Prefix, StringComparison.Ordinal)
                && user.EndsWith(Suffix, StringComparison.Ordinal);
        }
    }
}
