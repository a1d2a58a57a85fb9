using System.Globalization;

namespace Postern.Relay.Spool.Segments;

/// <summary>Keeps copies of what is damaged, for people to look at.</summary>
internal sealed class Quarantine(SpoolDirectory directory, ISegmentFiles files)
{
    private const int PieceSize = 1 << 20;

    /// <summary>Copies a stretch of a segment; the copy's path, or null when none could be made. One made before is left as it is.</summary>
    public string? Save(Segment segment, long offset, long length)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(segment.Path)}-{offset}.damaged");
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
        var saved = Path.Combine(directory.Quarantine, Path.GetFileName(path) + ".damaged");
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
            var piece = new byte[Math.Min(length, PieceSize)];
            for (long done = 0; done < length;)
            {
                var wanted = (int)Math.Min(piece.Length, length - done);
                var count = files.Read(segment.File, piece.AsSpan(0, wanted), offset + done);
                if (count == 0)
                    break;
                files.Write(copy, [piece.AsMemory(0, count)], done);
                done += count;
            }

            files.Sync(copy);
        }

        files.Rename(partial, path);
    }
}
