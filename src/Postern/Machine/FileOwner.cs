namespace Postern.Machine;

/// <summary>Keeps a file its owner's when root puts a new one in its place: the server that reads it is another user.</summary>
internal static class FileOwner
{
    /// <summary>Puts <paramref name="fresh"/>, which is complete, in the place of <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The owner could not be kept; nothing was replaced.</exception>
    public static void Replace(string fresh, string path)
    {
        if (UserIdentity.IsRoot && UserIdentity.Look(path) is { User: not 0 } owner)
            UserIdentity.Give(fresh, owner.User, owner.Group);
        File.Move(fresh, path, overwrite: true);
    }
}

/// <summary>Whose a file is and what kind of file.</summary>
/// <param name="Mode">Type and permissions, as the system has them.</param>
internal readonly record struct FileFacts(uint User, uint Group, int Mode, uint Links)
{
    private const int TypeMask = 0xF000;
    private const int SetGroup = 0x400;
    private const int Sticky = 0x200;
    private const int WriteOfOthers = 0x12; // group and others

    public bool IsFile => (Mode & TypeMask) == 0x8000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>What is made in this directory has its group, whoever makes it.</summary>
    public bool GivesGroup => (Mode & SetGroup) != 0;

    /// <summary>Others than the owner may make something in this directory.</summary>
    public bool IsForOthers => (Mode & WriteOfOthers) != 0;

    public bool IsLink => (Mode & TypeMask) == 0xA000;

    /// <summary>Others than the owner may replace what is in the directory.</summary>
    public bool IsOpen => (Mode & WriteOfOthers) != 0 && (Mode & Sticky) == 0;
}

/// <summary>A file whose content is nobody else's business.</summary>
internal static class OpenFile
{
    /// <summary>Null where other users of the machine can neither read nor write it.</summary>
    /// <param name="what">What it holds: <c>the key</c>.</param>
    public static string? Warning(string what, string file) =>
        (File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != UnixFileMode.None
            ? $"{what} {file} can be read by every user of this machine: chmod 600 {file}"
            : null;
}
