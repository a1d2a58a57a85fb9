using System.Buffers;
using System.Globalization;
using System.Text;

namespace Postern.Smtp.Client;

/// <summary>What the client will write next, gathered so that it leaves in one write. Pooled; empty between operations.</summary>
internal sealed class OutputBuffer
{
    private byte[] octets = [];

    /// <summary>What is written until <see cref="Release"/> is wiped when the memory is given back.</summary>
    public bool IsSecret { get; set; }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => octets.AsMemory(0, Length);

    /// <summary>At least <paramref name="size"/> octets to write into, then <see cref="Advance"/>.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (octets.Length - Length < size)
            Grow(size);
        return octets.AsSpan(Length);
    }

    /// <inheritdoc cref="GetSpan"/>
    public Memory<byte> GetMemory(int size)
    {
        if (octets.Length - Length < size)
            Grow(size);
        return octets.AsMemory(Length);
    }

    public void Advance(int count) => Length += count;

    /// <summary>Takes back what was written behind <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    public void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(GetSpan(text.Length));
        Length += text.Length;
    }

    /// <summary>Appends what a wire type or a number reads as: it can hold no CR or LF.</summary>
    /// <param name="maxLength">An upper bound of its text.</param>
    public void Append<T>(T value, int maxLength)
        where T : IUtf8SpanFormattable
    {
        if (!value.TryFormat(GetSpan(maxLength), out var written, default, CultureInfo.InvariantCulture))
            throw new ArgumentOutOfRangeException(nameof(maxLength), "The text is longer than said");
        Length += written;
    }

    /// <summary>Appends an address, a domain or parameters, in UTF-8.</summary>
    public void Append(string text) => Length += Encoding.UTF8.GetBytes(text, GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));

    public void Clear() => Length = 0;

    public void Release()
    {
        Length = 0;
        if (octets.Length > 0)
            ArrayPool<byte>.Shared.Return(octets, clearArray: IsSecret);
        octets = [];
        IsSecret = false;
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Length + size, Math.Max(1024, octets.Length * 2)));
        Memory.Span.CopyTo(larger);
        if (octets.Length > 0)
            ArrayPool<byte>.Shared.Return(octets, clearArray: IsSecret);
        octets = larger;
    }
}
