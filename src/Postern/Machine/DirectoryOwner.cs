namespace Postern.Machine;

/// <summary>
/// Whoever owns a directory decides where every name in it leads. So root does not work there as root: a command becomes the owner first,
/// once the configuration and the secrets it names are read, and can then do what the owner can and no more.
/// </summary>
internal static class DirectoryOwner
{
    private const int MostLinks = 40;

    // Of the process, like the identity itself.
    private static string? before;

    /// <summary>Who runs this command, for the log: root stays root there.</summary>
    public static string Actor => before ?? UserIdentity.Current;

    /// <summary>
    /// Becomes whoever decides where <paramref name="path"/> leads, if this is root and that is another; null when it can go on.
    /// </summary>
    public static Problem? Become(string path)
    {
        if (!UserIdentity.IsRoot)
            return null;
        try
        {
            switch (RulerOf(path))
            {
                case { User: not 0 } owner:
                    before ??= UserIdentity.Current;
                    UserIdentity.Become(owner.User, owner.Group);
                    return null;
                case { IsOpen: true }:
                    return new(
                        $"{path} is root's, and others may change what is in it",
                        $"Take that from them (chmod go-w, on it and every directory above), "
                            + $"or give {path} to the user that postern runs as.");
                default:
                    return null;
            }
        }
        catch (IOException e)
        {
            return new($"{path}: {e.Message}", "Run the command as the user that postern runs as.");
        }
    }

    /// <summary>Why root does not serve from a directory: it is another user's. Null when it may.</summary>
    public static Problem? WhyNotServe(string path)
    {
        if (!UserIdentity.IsRoot || RulerOf(path) is not { User: not 0 } owner)
            return null;
        var name = UserIdentity.NameOf(owner.User);
        return new(
            $"the data directory {path} belongs to {name}, and this is root",
            $"Run the server as {name}: User= in its unit, or setpriv --reuid, --regid and --init-groups.");
    }

    /// <summary>
    /// The first on the way from the top that is not root's alone, links followed; else the last that is there. What is missing would be
    /// made by root.
    /// </summary>
    public static FileFacts RulerOf(string path)
    {
        var left = new Stack<string>(Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var at = "/";
        var last = UserIdentity.Look(at)!.Value;
        for (var links = 0; left.TryPop(out var name);)
        {
            var next = Path.GetFullPath(Path.Combine(at, name));
            if (UserIdentity.Look(next) is not { } facts)
                break;
            if (facts.User != 0)
                return facts;
            if (facts.IsLink)
            {
                if (++links > MostLinks)
                    throw new IOException("too many symbolic links");
                var target = new FileInfo(next).LinkTarget ?? throw new IOException($"{next} was a symbolic link a moment ago");
                at = Path.IsPathRooted(target) ? "/" : at;
                foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                    left.Push(part);
                continue;
            }

            if (facts.IsOpen)
                return facts;
            (at, last) = (next, facts);
        }

        return last;
    }
}
