namespace Postern.Relay.Accounts;

/// <summary>What tells one state of a file from another, without reading it.</summary>
internal readonly record struct FileStamp(long Length, DateTime WrittenAt, DateTime BornAt)
{
    /// <summary>Null for a file that is not there, or cannot be looked at.</summary>
    public static FileStamp? Of(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? new FileStamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc) : null;
    }
}
