using System.Globalization;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>Keeps copies of what is damaged, for people to look at.</summary>
internal sealed class Quarantine(SpoolDirectory directory, ISegmentFiles files)
{
    private const int PieceSize = 1 << 20;

    private readonly LogWindow source = new(files);

    /// <summary>
    /// Copies a stretch of a segment; the copy's path, or null when none could be made. One made before is left as it is.
    /// </summary>
    public string? Save(Segment segment, long offset, long length)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(segment.Path)}-{segment.Stamp:x16}-{offset}.damaged");
        var path = Path.Combine(directory.Quarantine, name);
        if (File.Exists(path))
            return path;
        try
        {
            directory.CreateQuarantine();
            Copy(segment, offset, length, path);
            files.SyncDirectory(directory.Quarantine);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Moves a whole file there.</summary>
    public string Take(string path)
    {
        directory.CreateQuarantine();
        var name = Path.Combine(directory.Quarantine, Path.GetFileName(path));
        var saved = name + ".damaged";
        for (var i = 2; File.Exists(saved); i++)
            saved = string.Create(CultureInfo.InvariantCulture, $"{name}.{i}.damaged");
        files.Rename(path, saved);
        files.SyncDirectory(directory.Quarantine);
        files.SyncDirectory(directory.Path);
        return saved;
    }

    private void Copy(Segment segment, long offset, long length, string path)
    {
        var partial = path + ".partial";
        File.Delete(partial);
        using (var copy = files.Create(partial, length))
        {
            source.Open(segment.File, segment.Path);
            for (long done = 0; done < length;)
            {
                var piece = source.At(offset + done, (int)Math.Min(length - done, PieceSize)).ToArray();
                if (piece.Length == 0)
                    break;
                files.Write(copy, [piece], done);
                done += piece.Length;
            }

            files.Sync(copy);
        }

        files.Rename(partial, path);
    }
}
