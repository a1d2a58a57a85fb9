using System.Reflection;
using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>In which folder below its project a type is written. The namespace does not always say it: public types keep theirs when their files move.</summary>
internal sealed partial class SourceFolders
{
    private readonly Dictionary<string, string> folders = new(StringComparer.Ordinal);

    private SourceFolders(string project)
    {
        var root = SourceTree.PathOf(Path.Combine("src", project));
        foreach (var file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(root, file).Replace('\\', '/');
            if (path.StartsWith("obj/", StringComparison.Ordinal) || path.StartsWith("bin/", StringComparison.Ordinal))
                continue;
            var text = File.ReadAllText(file);
            var place = Namespace().Match(text).Groups[1].Value;
            foreach (Match declared in Declaration().Matches(text))
                folders[$"{place}.{declared.Groups[1].Value}"] = path.Contains('/', StringComparison.Ordinal) ? path.Split('/')[0] : string.Empty;
        }
    }

    public IEnumerable<string> Folders => folders.Values.Distinct(StringComparer.Ordinal);

    /// <summary>The program is called <c>postern</c> and its project <c>Postern</c>; a library is called as its project.</summary>
    public static SourceFolders Of(Assembly compiled) => new(char.ToUpperInvariant(compiled.GetName().Name![0]) + compiled.GetName().Name![1..]);

    /// <summary>Empty for the project's root; null for what no file declares: the compiler made it.</summary>
    public string? FolderOf(Type type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return folders.GetValueOrDefault($"{type.Namespace}.{type.Name.Split('`')[0]}");
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline, matchTimeoutMilliseconds: 60_000)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:(?:public|internal|sealed|abstract|static|partial|readonly|ref|unsafe) )*(?:class|record struct|record|struct|interface|enum|delegate [\w<>?.]+) (\w+)", RegexOptions.Multiline, matchTimeoutMilliseconds: 60_000)]
    private static partial Regex Declaration();
}
