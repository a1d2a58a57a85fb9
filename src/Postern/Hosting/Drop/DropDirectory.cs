using Postern.Machine;

namespace Postern.Hosting.Drop;

/// <summary>
/// The directory where messages of this machine's users wait for the server. It is the server's: others may make files there and not look,
/// and what is the server's alone is in two directories below it.
/// </summary>
internal sealed class DropDirectory(string path)
{
    /// <summary>Begins the names of files that are being written.</summary>
    public const string UnfinishedPrefix = "tmp-";

    /// <summary>Begins the names of files that are whole.</summary>
    public const string FinishedPrefix = "new-";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode ForAll = OwnerOnly
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute
        | UnixFileMode.SetGroup
        | UnixFileMode.StickyBit;

    public string Path => path;

    /// <summary>What the server is taking up: nobody else can reach or rename it there.</summary>
    public string Taken { get; } = System.IO.Path.Combine(path, "taken");

    /// <summary>What could not be taken up, for an operator to look at.</summary>
    public string Aside { get; } = System.IO.Path.Combine(path, "aside");

    /// <summary>Makes what is missing; null when the server can take up messages from here.</summary>
    /// <param name="isForAll">It is made for all users, and not for the server's own alone.</param>
    public Problem? Prepare(bool isForAll)
    {
        try
        {
            if (!Directory.Exists(path))
            {
                Directory.CreateDirectory(path, OwnerOnly);
                if (isForAll)
                    File.SetUnixFileMode(path, ForAll);
            }

            if (WhyNotServed() is { } problem)
                return problem;
            foreach (var own in (string[])[Taken, Aside])
            {
                Directory.CreateDirectory(own, OwnerOnly);
                if (UserIdentity.Look(own) is not { IsDirectory: true, IsForOthers: false } facts || facts.User != UserIdentity.Effective)
                    return new($"{own} is not the server's own directory", $"Remove it: rm -r {own}");
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new($"the drop directory {path} cannot be used: {e.Message}", HowToMake());
        }
    }

    /// <summary>Why messages cannot be taken up from what is there; null where they can, or nothing is there yet.</summary>
    public Problem? WhyNotServed()
    {
        if (UserIdentity.Look(path) is not { } facts)
            return null;
        if (!facts.IsDirectory)
            return new($"the drop directory {path} is not a directory", "Name another in sendmail.drop.");
        if (facts.User != UserIdentity.Effective)
            return new(
                $"the drop directory {path} belongs to {UserIdentity.NameOf(facts.User)}, and only its owner may take messages from it",
                HowToMake());
        return facts switch
        {
            { IsOpen: true } => new($"in the drop directory {path} every user may take away what others left", HowToMake()),
            { IsForOthers: true, GivesGroup: false } =>
                new($"in the drop directory {path} the server cannot read what other users leave", HowToMake()),
            _ => null,
        };
    }

    /// <summary>What an operator should know of the configured directory before a server runs; null for nothing.</summary>
    public string? Doubt()
    {
        try
        {
            return WhyNotServed() is { } problem ? $"{problem.What}. {problem.Todo}"
                : UserIdentity.Look(path) is null && !Directory.Exists(System.IO.Path.GetDirectoryName(path))
                    ? $"there is no {path}, and nothing to make it in. {HowToMake()}"
                    : null;
        }
        catch (IOException e)
        {
            return $"{e.Message}. {HowToMake()}";
        }
    }

    /// <summary>
    /// Why a command cannot leave a message here; null when it can try. An <see cref="UnauthorizedAccessException"/> says that this user
    /// cannot even look.
    /// </summary>
    public Problem? WhyNotLeft()
    {
        try
        {
            if (UserIdentity.Look(path) is { } facts)
                return facts.IsDirectory && (facts.GivesGroup || facts.User == UserIdentity.Effective)
                    ? null
                    : new($"the drop directory {path} is not one that a server could read from", "See 'postern check'.");
        }
        catch (IOException e)
        {
            throw new UnauthorizedAccessException($"{UserIdentity.Current} cannot reach the drop directory: {e.Message}", e);
        }

        return new($"there is no drop directory {path}", "Start the server once, which makes it; or see 'postern check'.");
    }

    /// <summary>What makes a directory in which every user may leave mail for a server.</summary>
    /// <param name="server">The user whom the server runs as.</param>
    public static string HowToMake(string server, string path) => $"install -d -o {server} -g $(id -gn {server}) -m 3733 {path}";

    private string HowToMake() => $"As root: {HowToMake(UserIdentity.Current, path)}";
}
