using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Delivery;

/// <summary>
/// Marks of what lately happened to messages, each a keyed hash of a queue id and two texts. Fixed in size: an older mark gives way to a
/// newer one. What is marked is in a file a second later, written beside everything else, so that it outlasts a restart and a kill. No lock
/// for whoever marks or asks.
/// </summary>
internal sealed class RecentMarks : IDisposable
{
    private const int SlotsOfPage = 512;
    private const int UsualLength = 512;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly long[] marks;
    private readonly bool[] isPageChanged;
    private readonly byte[] key = RandomNumberGenerator.GetBytes(SipHash.KeySize);
    private readonly SipHash hash;
    private readonly Lock writing = new();
    private readonly Action<string> tell = static _ => { };
    private readonly SafeFileHandle? file;
    private readonly ITimer? timer;
    private int isChanged;
    private bool isTold;

    /// <summary>In memory alone.</summary>
    /// <param name="slots">How many there is room for: a power of two, at least 512.</param>
    public RecentMarks(int slots)
    {
        (marks, isPageChanged) = (new long[slots], new bool[slots / SlotsOfPage]);
        hash = SipHash.Of(key);
    }

    private RecentMarks(string path, int slots, TimeProvider clock, Action<string> tell)
        : this(slots)
    {
        this.tell = tell;
        try
        {
            file = Libc.OpenFile(path, Libc.ReadWrite | Libc.Create);
            Read(file);
            hash = SipHash.Of(key);
            timer = clock.CreateTimer(
                static all => ((RecentMarks)all!).Write(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell(e.Message);
        }
    }

    private static ReadOnlySpan<byte> Magic => "POSTMRK1"u8;

    private static int FirstPage => Magic.Length + SipHash.KeySize;

    /// <summary>
    /// Goes on from what the file holds, which is made where it is missing and made anew where it holds something else. One that cannot be
    /// read or written is told of; then the marks are in memory alone.
    /// </summary>
    /// <param name="tell">Takes what went wrong.</param>
    public static RecentMarks Open(string path, int slots, TimeProvider clock, Action<string> tell) => new(path, slots, clock, tell);

    public void Add(QueueId id, ReadOnlySpan<char> text, ReadOnlySpan<char> other)
    {
        var mark = MarkOf(id, text, other);
        Volatile.Write(ref SlotOf(mark), mark);
        NoteChange(mark);
    }

    public bool Has(QueueId id, ReadOnlySpan<char> text, ReadOnlySpan<char> other)
    {
        var mark = MarkOf(id, text, other);
        return Volatile.Read(ref SlotOf(mark)) == mark;
    }

    /// <summary>Takes the mark away; false where it is not there.</summary>
    public bool Take(QueueId id, ReadOnlySpan<char> text, ReadOnlySpan<char> other)
    {
        var mark = MarkOf(id, text, other);
        if (Interlocked.CompareExchange(ref SlotOf(mark), 0, mark) != mark)
            return false;
        NoteChange(mark);
        return true;
    }

    /// <summary>Writes what is not written yet.</summary>
    public void Dispose()
    {
        timer?.Dispose();
        Write();
        file?.Dispose();
    }

    private ref long SlotOf(long mark) => ref marks[mark & (marks.Length - 1)];

    private void NoteChange(long mark)
    {
        if (timer is null)
            return;
        Volatile.Write(ref isPageChanged[(mark & (marks.Length - 1)) / SlotsOfPage], true);
        if (Interlocked.Exchange(ref isChanged, 1) == 0)
            timer.Change(Pause, Timeout.InfiniteTimeSpan);
    }

    private long MarkOf(QueueId id, ReadOnlySpan<char> text, ReadOnlySpan<char> other)
    {
        const int IdLength = 16 / sizeof(char);
        var length = IdLength + text.Length + 1 + other.Length;
        var rented = length > UsualLength ? ArrayPool<char>.Shared.Rent(length) : null;
        var all = (rented ?? stackalloc char[UsualLength])[..length];
        BinaryPrimitives.WriteUInt128LittleEndian(MemoryMarshal.AsBytes(all), id.Value);
        text.ToLowerInvariant(all[IdLength..]);
        all[IdLength + text.Length] = '\0';
        other.CopyTo(all[(IdLength + text.Length + 1)..]);
        var mark = (long)hash.Of64(MemoryMarshal.AsBytes(all));
        if (rented is not null)
            ArrayPool<char>.Shared.Return(rented);
        return mark;
    }

    private void Read(SafeFileHandle from)
    {
        var octets = new byte[FirstPage + (marks.Length * sizeof(long))];
        var length = 0;
        while (length < octets.Length && RandomAccess.Read(from, octets.AsSpan(length), length) is > 0 and var read)
            length += read;
        if (length == octets.Length && octets.AsSpan().StartsWith(Magic))
        {
            octets.AsSpan(Magic.Length, SipHash.KeySize).CopyTo(key);
            MemoryMarshal.Cast<byte, long>(octets.AsSpan(FirstPage)).CopyTo(marks);
            return;
        }

        octets.AsSpan().Clear();
        Magic.CopyTo(octets);
        key.CopyTo(octets.AsSpan(Magic.Length));
        RandomAccess.Write(from, octets, fileOffset: 0);
        RandomAccess.SetLength(from, octets.Length);
    }

    private void Write()
    {
        lock (writing)
        {
            if (file is null || Interlocked.Exchange(ref isChanged, 0) == 0)
                return;
            for (var page = 0; page < isPageChanged.Length; page++)
            {
                if (Volatile.Read(ref isPageChanged[page]))
                    Write(page);
            }
        }
    }

    private void Write(int page)
    {
        Volatile.Write(ref isPageChanged[page], false);
        try
        {
            RandomAccess.Write(
                file!,
                MemoryMarshal.AsBytes(marks.AsSpan(page * SlotsOfPage, SlotsOfPage)),
                FirstPage + ((long)page * SlotsOfPage * sizeof(long)));
            isTold = false;
        }
        catch (IOException e)
        {
            // It is written with the next ones.
            Volatile.Write(ref isPageChanged[page], true);
            if (!isTold)
                tell(e.Message);
            isTold = true;
        }
    }
}
