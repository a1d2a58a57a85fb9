namespace Postern.Hosting;

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
