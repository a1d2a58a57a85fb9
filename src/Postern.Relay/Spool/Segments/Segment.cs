using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>One file of the log. What is not marked otherwise is guarded by the index's gate.</summary>
internal sealed class Segment(SegmentHeader header, string path, SafeFileHandle file, long size)
{
    private bool isClosing;

    public ulong Id { get; } = header.Id;

    public ulong Stamp { get; } = header.Stamp;

    public bool IsChained { get; } = header.Version > SegmentHeader.UnchainedVersion;

    public string Path { get; } = path;

    public SafeFileHandle File { get; } = file;

    /// <summary>Octets of the file; the committer's own.</summary>
    public long Size { get; set; } = size;

    /// <summary>Where the next record goes, or the footer stands; the committer's own.</summary>
    public long End { get; set; } = SegmentHeader.Size;

    /// <summary>Of the records before <see cref="End"/>; the committer's own.</summary>
    public SegmentTally Tally { get; set; }

    /// <summary>Stretches of it that are no records and have been told of; the committer's own.</summary>
    public IReadOnlyList<(long Offset, long Length)> Gaps { get; set; } = [];

    /// <summary>Its footer is on the disk, or cannot be had: nothing is written to it any more. The committer's own.</summary>
    public bool IsSealed { get; set; }

    /// <summary>
    /// From here on it was read after a crash, which may have been that of a server whose sync had failed: the pages in memory may
    /// hold what the disk does not. Null when the disk has it all. The committer's own.
    /// </summary>
    public long? DoubtfulFrom { get; set; }

    /// <summary>Octets of records that still mean something.</summary>
    public long Live { get; set; }

    /// <summary>Chunks of messages that are not committed yet.</summary>
    public int Unclaimed { get; set; }

    /// <summary>Open readers; the file may be unlinked but neither closed nor written to again.</summary>
    public int Readers { get; set; }

    /// <summary>Messages that have a record here; may name dead ones and name one twice.</summary>
    public List<StoredMessage> Residents { get; } = [];

    /// <summary>Messages that are still being written and have a chunk here; may name dead ones and name one twice.</summary>
    public List<DraftChunks> Drafts { get; } = [];

    /// <summary>Messages whose removal is recorded here.</summary>
    public List<StoredMessage> Removals { get; } = [];

    /// <summary>Not to be compacted or deleted: it holds damage that could not be copied elsewhere.</summary>
    public bool MustStay { get; set; }

    /// <summary>Its name is gone from the directory, durably.</summary>
    public bool IsGone { get; set; }

    /// <summary>Closes the file, when the last reader is done with it.</summary>
    public void Close()
    {
        isClosing = true;
        if (Readers == 0)
            File.Dispose();
    }

    public void EndRead()
    {
        Readers--;
        if (isClosing)
            Close();
    }
}
