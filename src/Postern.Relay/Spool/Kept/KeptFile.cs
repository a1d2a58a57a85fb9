using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Kept;

/// <summary>
/// One kept message on the disk (docs/spool-format.md): its content, its envelope with the last state as JSON, and 32 octets that say how
/// long both are, with their checksums.
/// </summary>
internal static class KeptFile
{
    public const int FooterSize = 32;

    private const int BufferSize = 64 * 1024;
    private const int MostJson = 64 << 20;

    private static ReadOnlySpan<byte> Magic => "POSTKPT1"u8;

    /// <summary>Writes a new file, which is durable when this is done, but for its name.</summary>
    /// <exception cref="IOException">The disk failed, or the content ends too early.</exception>
    public static async ValueTask WriteAsync(string path, SpoolEntry entry, ISpoolContent content, CancellationToken ct)
    {
        using var file = Libc.OpenFile(path, Libc.ReadWrite | Libc.Create | Libc.Exclusive);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var crc = new Crc32C.Running();
            long at = 0;
            while (at < content.Length)
            {
                var read = await content.ReadAsync(at, buffer, ct).ConfigureAwait(false);
                if (read == 0)
                    throw new IOException($"the content of {entry.Envelope.Id} ends at {at} of {content.Length} octets");
                crc.Add(buffer.AsSpan(0, read));
                RandomAccess.Write(file, buffer.AsSpan(0, read), at);
                at += read;
            }

            var json = JsonSerializer.SerializeToUtf8Bytes(
                StoredEnvelope.Of(entry.Envelope, entry.State), SpoolJson.Default.StoredEnvelope);
            RandomAccess.Write(file, json, at);
            RandomAccess.Write(file, Footer(entry.Envelope.Id, json, at, crc.Value), at + json.Length);
            Libc.SyncData(file);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the file whole once, so that what is given out afterwards is known to be right.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read, or is gone.</exception>
    public static KeptContent Open(string path, QueueId id)
    {
        var file = Libc.OpenFile(path, flags: 0);
        try
        {
            return new KeptContent(file, Read(file, path, id));
        }
        catch (Exception e)
        {
            file.Dispose();
            if (e is JsonException or FormatException)
                throw new InvalidDataException($"{path} is damaged: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Fills the buffer from there on.</summary>
    /// <exception cref="InvalidDataException">The file ends before.</exception>
    internal static void Read(SafeFileHandle file, Span<byte> octets, long at)
    {
        while (!octets.IsEmpty)
        {
            var read = RandomAccess.Read(file, octets, at);
            if (read == 0)
                throw new InvalidDataException("the file is too short");
            octets = octets[read..];
            at += read;
        }
    }

    private static byte[] Footer(QueueId id, ReadOnlySpan<byte> json, long content, uint crc)
    {
        var footer = new byte[FooterSize];
        Magic.CopyTo(footer);
        BinaryPrimitives.WriteInt64LittleEndian(footer.AsSpan(8), content);
        BinaryPrimitives.WriteInt32LittleEndian(footer.AsSpan(16), json.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(20), crc);
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(24), Crc32C.Of(json));
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(28), CheckOf(id, footer));
        return footer;
    }

    /// <summary>Of the footer before it, and of the name: a file that was given another name is no other message.</summary>
    private static uint CheckOf(QueueId id, ReadOnlySpan<byte> footer)
    {
        Span<byte> name = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(name, id.Value);
        return Crc32C.Of(name, footer[..28]);
    }

    private static SpoolEntry Read(SafeFileHandle file, string path, QueueId id)
    {
        var length = RandomAccess.GetLength(file);
        var footer = new byte[FooterSize];
        Read(file, footer, Math.Max(0, length - FooterSize));
        var (content, json) = (BinaryPrimitives.ReadInt64LittleEndian(footer.AsSpan(8)),
            BinaryPrimitives.ReadInt32LittleEndian(footer.AsSpan(16)));
        if (!footer.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(28)) != CheckOf(id, footer)
            || json is < 0 or > MostJson
            || content < 0
            || length - FooterSize - json != content)
            throw new InvalidDataException($"{path} is damaged: it does not end as a kept message does");
        var envelope = new byte[json];
        Read(file, envelope, content);
        if (Crc32C.Of(envelope) != BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(24))
            || CrcOf(file, content) != BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(20)))
            throw new InvalidDataException($"{path} is damaged: what stands in it is not what was written");
        return (JsonSerializer.Deserialize(envelope, SpoolJson.Default.StoredEnvelope) ?? throw new JsonException("no envelope"))
            .ToEntry(id, content, new ReplayWords());
    }

    private static uint CrcOf(SafeFileHandle file, long length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var crc = new Crc32C.Running();
            for (long at = 0; at < length;)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
                Read(file, part, at);
                crc.Add(part);
                at += part.Length;
            }

            return crc.Value;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>The content of one kept message, and its envelope with the state at its end. Readable while this is held.</summary>
public sealed class KeptContent : ISpoolContent
{
    private readonly SafeFileHandle file;

    internal KeptContent(SafeFileHandle file, SpoolEntry entry) => (this.file, Entry) = (file, entry);

    public SpoolEntry Entry { get; }

    public long Length => Entry.Size;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var wanted = (int)Math.Min(buffer.Length, Math.Max(0, Length - offset));
        KeptFile.Read(file, buffer.Span[..wanted], offset);
        return new(wanted);
    }

    public void Dispose() => file.Dispose();
}
