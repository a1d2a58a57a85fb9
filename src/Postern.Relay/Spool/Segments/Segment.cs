using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments;

/// <summary>One file of the log. What is not marked otherwise is guarded by the index's gate.</summary>
internal sealed class Segment(ulong id, ulong stamp, string path, SafeFileHandle file, long size)
{
    private bool isClosing;

    public ulong Id { get; } = id;

    public ulong Stamp { get; } = stamp;

    public string Path { get; } = path;

    public SafeFileHandle File { get; } = file;

    /// <summary>Octets of the file; the committer's own.</summary>
    public long Size { get; set; } = size;

    /// <summary>Where the next record goes; the committer's own.</summary>
    public long End { get; set; } = SegmentHeader.Size;

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
