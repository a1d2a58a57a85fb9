using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>One file of aliases or forwards with all that it includes, read and closed.</summary>
internal sealed class AliasFile
{
    /// <summary>Of a file, its includes apart.</summary>
    private const long MostOctets = 256 * 1024 * 1024;

    /// <summary>Further mistakes are counted.</summary>
    private const int MostProblems = 20;

    private const int MostIncludesDeep = 10;

    private readonly List<AliasProblem> problems;
    private readonly Dictionary<string, string> read;
    private int problemCount;

    private AliasFile(AliasSource source, int number, List<AliasProblem> problems, Dictionary<string, string> read) =>
        (Source, Number, this.problems, this.read) = (source, number, problems, read);

    public AliasSource Source { get; }

    /// <summary>Of the source.</summary>
    public int Number { get; }

    public AliasIndex Index { get; } = new();

    /// <summary>Reads a file.</summary>
    /// <param name="number">Of the source, for problems.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="doubts">Takes what should be known.</param>
    /// <param name="read">Takes each file that was read, with SHA-256 of its content in hexadecimal digits.</param>
    public static AliasFile Read(
        AliasSource source, int number, List<AliasProblem> problems, List<AliasProblem> doubts, Dictionary<string, string> read)
    {
        var file = new AliasFile(source, number, problems, read);
        file.ReadAll(source.File, goesOn: true, source.File, line: 0, lines => file.TakeLine(lines, doubts));
        if (file.problemCount > MostProblems)
            problems.Add(new AliasProblem(number, source.File, Line: 0, $"{file.problemCount - MostProblems} more mistakes like these"));
        file.Index.Close();
        return file;
    }

    /// <summary>Reads a file line by line; where it cannot be read, that is a problem of the line that names it.</summary>
    private void ReadAll(string file, bool goesOn, string namedIn, int line, Action<AliasLines> take)
    {
        try
        {
            using var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (content.Length > MostOctets)
            {
                Note(namedIn, line, $"{file} has more than {MostOctets / 1024 / 1024} MiB");
                return;
            }

            if (goesOn)
                Index.Reserve((int)content.Length);
            using var lines = new AliasLines(content, goesOn);
            while (lines.TryNext())
                take(lines);
            if (lines.Problem is { } problem)
                Note(file, lines.LineOfProblem, problem);
            read[file] = lines.Digest();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As who watches the files has it.
            read[file] = e.GetType().Name;
            var why = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : $"cannot be read: {e.Message}";
            Note(namedIn, line, $"{file} {why}");
        }
    }

    private void TakeLine(AliasLines lines, List<AliasProblem> doubts)
    {
        if (lines.IsOrphan)
        {
            Note(lines.Line, "a line that begins with a space goes on with the one before, and there is none");
            return;
        }

        var isAliases = Source.Form == AliasForm.Aliases;
        var end = AliasWords.EndOfName(lines.Text, isAliases);
        if (end <= 0)
        {
            Note(lines.Line, isAliases ? $"'{Start(lines.Text)}' is not 'name: target'" : $"'{Start(lines.Text)}' is not 'address target'");
            return;
        }

        var (name, targets) = (lines.Text[..end].TrimEnd(), lines.Text[(end + 1)..]);
        if (KeyOf(name, out var doubt) is not { } key)
        {
            if (doubt is null)
                Note(lines.Line, WhyNoName(name));
            else if (doubts.Count < MostProblems)
                doubts.Add(new AliasProblem(Number, Source.File, lines.Line, doubt));
            return;
        }

        if (TargetsOf(targets, lines.Line) is { Length: > 0 } value
            && Index.Add(Encoding.UTF8.GetBytes(key), lines.Line, Encoding.UTF8.GetBytes(value)) is > 0 and var earlier)
            Note(lines.Line, $"{name} stands in line {earlier} already");
    }

    /// <summary>What a name is found by: in canonical form, with its domain where it has one. Null where it is none.</summary>
    private string? KeyOf(string name, out string? doubt)
    {
        doubt = null;
        if (Source.Form == AliasForm.Aliases)
            return AliasWords.NameOf(name)?.Canonical;
        if (name.StartsWith('@'))
            return Domain.TryParse(name[1..], out var domain) ? "@" + domain.Text : null;
        if (Mailbox.TryParse(name, out var mailbox))
            return mailbox.Canonical;
        // As Postfix's virtual(5) declares a domain, with anything behind it.
        if (name.Contains('.', StringComparison.Ordinal) && Domain.TryParse(name, out _))
        {
            doubt = $"{name} is declared as a domain here, which says nothing: "
                + "'domains' of the configuration names those that are accepted";
            return null;
        }

        return AliasWords.NameOf(name)?.Canonical;
    }

    private string WhyNoName(string name) => Source.Form switch
    {
        AliasForm.Aliases when name.Contains('@', StringComparison.Ordinal) =>
            $"'{Start(name)}' has a domain, which names of this file have from 'domains': it stands in a file of forwards",
        AliasForm.Aliases when name.Contains(' ', StringComparison.Ordinal) => $"'{Start(name)}' needs quotes, as it has a space",
        AliasForm.Forwards when name.EndsWith(':') => $"'{Start(name)}' ends in a colon: that is how a file of aliases is written",
        AliasForm.Forwards => $"'{Start(name)}' is not user@domain, @domain or a name",
        _ => $"'{Start(name)}' is not a name",
    };

    /// <summary>All targets as they are kept, a line each; null where one is wrong, or there is none.</summary>
    private string? TargetsOf(string text, int line)
    {
        var found = new StringBuilder(text.Length + 8);
        var hasPlace = false;
        var before = problemCount;
        if (AliasWords.Split(text) is not { } words)
            Note(line, "a quote does not end");
        else if (words.Count == 0)
            Note(line, "nothing stands to the right");
        else
            words.ForEach(word => Take(word, Source.File, line, deep: 0));
        return problemCount == before ? found.ToString() : null;

        void Take(string word, string file, int at, int deep)
        {
            if (AliasWords.Read(word, Source, isIncluded: deep > 0, out var target, out var include) is { } why)
                Note(file, at, why);
            else if (include is not null)
                Include(include, file, at, deep + 1);
            else if (target is AliasTarget.Local && hasPlace)
                Note(file, at, "one name has one command or mailbox: give the second a name of its own, and name that here");
            else
                Append(target!);
        }

        void Append(AliasTarget target)
        {
            hasPlace |= target is AliasTarget.Local;
            found.Append(found.Length > 0 ? "\n" : null).Append(target.Stored);
        }

        void Include(string include, string file, int at, int deep)
        {
            if (deep > MostIncludesDeep)
                Note(file, at, $"{include} is included by a file that is included by a file, and so on, {MostIncludesDeep} deep");
            else
                ReadAll(include, goesOn: false, file, at, lines => TakeWords(lines, include, deep));
        }

        void TakeWords(AliasLines lines, string file, int deep)
        {
            if (AliasWords.Split(lines.Text) is not { } more)
                Note(file, lines.Line, "a quote does not end");
            else
                more.ForEach(word => Take(word, file, lines.Line, deep));
        }
    }

    private void Note(int line, string words) => Note(Source.File, line, words);

    private void Note(string file, int line, string words)
    {
        if (++problemCount <= MostProblems)
            problems.Add(new AliasProblem(Number, file, line, words));
    }

    private static string Start(string text) => text.Length <= 60 ? text : $"{text[..60]}...";
}
