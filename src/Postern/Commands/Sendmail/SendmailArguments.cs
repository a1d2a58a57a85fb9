using System.Collections.Immutable;
using Postern.Smtp.Session;

namespace Postern.Commands.Sendmail;

/// <summary>
/// A command line as <c>sendmail</c> has always taken it: letters may stand together, and a value beside its letter or behind it. What
/// other programs say out of habit and means nothing here is passed over.
/// </summary>
internal sealed record SendmailArguments
{
    /// <summary>Letters that take a value.</summary>
    private const string WithValue = "ABCDFLMNOQRVXbefhopr";

    /// <summary>Letters that take a value only beside them.</summary>
    private const string WithValueBeside = "qd";

    /// <summary>Letters without a value.</summary>
    private const string Alone = "GUcinmtvx";

    public SendmailMode Mode { get; init; }

    /// <summary>As it was said; null where it was not.</summary>
    public string? Sender { get; init; }

    public string? FullName { get; init; }

    /// <summary>Recipients are those of the header, beside those that are named.</summary>
    public bool ReadsRecipients { get; init; }

    /// <summary>A line with a dot alone does not end the message.</summary>
    public bool IgnoresDots { get; init; }

    public DsnNotify Notify { get; init; }

    public DsnReturn Return { get; init; }

    public string? EnvelopeId { get; init; }

    /// <summary>Each recipient has a sender of its own; null where all have the same.</summary>
    public VerpDelimiters? Verp { get; init; }

    public bool IsSevenBit { get; init; }

    /// <summary>Which part of the queue -q means, as an option of <c>postern queue retry</c> and its value.</summary>
    public ImmutableArray<string> Flushed { get; init; } = ["--all"];

    public string? ConfigFile { get; init; }

    /// <summary>In the place of the configured one.</summary>
    public string? Drop { get; init; }

    public bool WantsHelp { get; init; }

    public ImmutableArray<string> Recipients { get; init; } = [];

    /// <summary>Null with what is wrong.</summary>
    public static (SendmailArguments? Arguments, string Wrong) Parse(IReadOnlyList<string> words)
    {
        var found = new SendmailArguments();
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--")
                return (found with { Recipients = [.. found.Recipients, .. words.Skip(i + 1)] }, string.Empty);
            if (word.Length < 2 || word[0] != '-')
            {
                found = found with { Recipients = [.. found.Recipients, word] };
                continue;
            }

            string? wrong;
            (found, wrong) = word.StartsWith("--", StringComparison.Ordinal)
                ? found.WithWord(words, ref i)
                : found.WithLetters(words, ref i);
            if (wrong is not null)
                return (null, wrong);
        }

        return (found, string.Empty);
    }

    private (SendmailArguments Found, string? Wrong) WithWord(IReadOnlyList<string> words, ref int i)
    {
        var (name, equals) = (words[i], words[i].IndexOf('=', StringComparison.Ordinal));
        var value = equals > 0 ? name[(equals + 1)..] : null;
        name = equals > 0 ? name[..equals] : name;
        if (name == "--help")
            return (this with { WantsHelp = true }, null);
        if (name is not ("--config" or "--drop"))
            return (this, $"there is no option '{name}'");
        value ??= ++i < words.Count ? words[i] : null;
        if (value is null)
            return (this, $"{name} needs a value");
        return (name == "--config" ? this with { ConfigFile = value } : this with { Drop = value }, null);
    }

    private (SendmailArguments Found, string? Wrong) WithLetters(IReadOnlyList<string> words, ref int i)
    {
        var (found, word) = (this, words[i]);
        for (var at = 1; at < word.Length; at++)
        {
            var letter = word[at];
            if (Alone.Contains(letter, StringComparison.Ordinal))
            {
                found = letter switch
                {
                    't' => found with { ReadsRecipients = true },
                    'i' => found with { IgnoresDots = true },
                    _ => found,
                };
                continue;
            }

            var beside = word[(at + 1)..];
            if (letter == 'q' && beside is "I" or "R" or "S")
                return ++i < words.Count ? found.Flushing(beside + words[i]) : (found, $"-q{beside} needs a value");
            if (WithValueBeside.Contains(letter, StringComparison.Ordinal))
                return letter == 'q' ? found.Flushing(beside) : (found, Wrong: null);
            if (letter == 'I')
                return (found with { Mode = SendmailMode.Aliases }, null);
            if (!WithValue.Contains(letter, StringComparison.Ordinal))
                return (found, $"there is no option '-{letter}'");
            var value = beside.Length > 0 ? beside : ++i < words.Count ? words[i] : null;
            if (value is null)
                return (found, $"-{letter} needs a value");
            return found.With(letter, value);
        }

        return (found, null);
    }

    private (SendmailArguments Found, string? Wrong) With(char letter, string value) => (letter, value) switch
    {
        ('f' or 'r', _) => (this with { Sender = value }, null),
        ('F', _) => (this with { FullName = value }, null),
        ('o', "i") => (this with { IgnoresDots = true }, null),
        ('O', _) => (value.StartsWith("IgnoreDots", StringComparison.OrdinalIgnoreCase) ? this with { IgnoresDots = true } : this, null),
        ('b', "m") => (this with { Mode = SendmailMode.Send }, null),
        ('b', "s") => (this with { Mode = SendmailMode.Smtp }, null),
        ('b', "p") => (this with { Mode = SendmailMode.List }, null),
        ('b', "i") => (this with { Mode = SendmailMode.Aliases }, null),
        ('b', _) => (this, $"-b{value} is not done here; the server itself is 'postern serve'"),
        ('B', _) => (this with { IsSevenBit = value.Equals("7BIT", StringComparison.OrdinalIgnoreCase) }, null),
        ('N', _) => NotifyOf(value) is { } notify
            ? (this with { Notify = notify }, null)
            : (this, $"-N {value}: expected never, or some of success, failure and delay with commas between"),
        ('R', _) => value.ToLowerInvariant() switch
        {
            "full" => (this with { Return = DsnReturn.Full }, null),
            "hdrs" => (this with { Return = DsnReturn.Headers }, null),
            _ => (this, $"-R {value}: expected full or hdrs"),
        },
        ('X', "V") => (this with { Verp = VerpDelimiters.Usual }, null),
        ('X', ['V', .. var delimiters]) => VerpDelimiters.Read(delimiters) is { } verp
            ? (this with { Verp = verp }, null)
            : (this, $"-XV needs two characters of {VerpDelimiters.Allowed}, or none"),
        ('V', _) => value.All(static c => c is >= ' ' and <= '~') && value.Length <= 100
            ? (this with { EnvelopeId = value }, null)
            : (this, "-V needs at most 100 printable characters"),
        _ => (this, null),
    };

    private static DsnNotify? NotifyOf(string value)
    {
        var all = DsnNotify.Unspecified;
        foreach (var word in value.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries))
        {
            var one = word switch
            {
                "never" => DsnNotify.Never,
                "success" => DsnNotify.Success,
                "failure" => DsnNotify.Failure,
                "delay" => DsnNotify.Delay,
                _ => DsnNotify.Unspecified,
            };
            if (one == DsnNotify.Unspecified)
                return null;
            all |= one;
        }

        return all.HasFlag(DsnNotify.Never) && all != DsnNotify.Never ? null : all;
    }

    /// <summary>An interval asks for a daemon that looks at the queue, which the server does by itself.</summary>
    private (SendmailArguments Found, string? Wrong) Flushing(string which) => which switch
    {
        "" => (this with { Mode = SendmailMode.Flush }, null),
        ['I', .. { Length: > 0 } id] => (this with { Mode = SendmailMode.Flush, Flushed = [id] }, null),
        ['R', .. { Length: > 0 } to] => (this with { Mode = SendmailMode.Flush, Flushed = ["--to", to] }, null),
        ['S', .. { Length: > 0 } from] => (this with { Mode = SendmailMode.Flush, Flushed = ["--from", from] }, null),
        _ => (this, $"-q{which} is not done here: the server looks at its queue by itself"),
    };
}

/// <summary>What the command is to do.</summary>
internal enum SendmailMode
{
    /// <summary>Reads a message and leaves it for the server.</summary>
    Send,

    /// <summary>-bs: SMTP on standard input and output.</summary>
    Smtp,

    /// <summary>-bp, mailq: lists the queue.</summary>
    List,

    /// <summary>-q: tries what waits.</summary>
    Flush,

    /// <summary>-bi, newaliases: there is nothing to make here.</summary>
    Aliases,
}
