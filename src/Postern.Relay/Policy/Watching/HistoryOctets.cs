using System.Runtime.InteropServices;

namespace Postern.Relay.Policy.Watching;

/// <summary>Numbers one behind the other, in the order of octets of this machine.</summary>
internal static class HistoryOctets
{
    /// <summary>What writes.</summary>
    internal ref struct Writer(Span<byte> to)
    {
        private Span<byte> left = to;

        public void Byte(byte value)
        {
            left[0] = value;
            left = left[1..];
        }

        public void Short(ushort value) => Put(value);

        public void Int(int value) => Put(value);

        public void Long(long value) => Put(value);

        private void Put<T>(T value)
            where T : unmanaged
        {
            MemoryMarshal.Write(left, value);
            left = left[Marshal.SizeOf<T>()..];
        }
    }

    /// <summary>What reads.</summary>
    internal ref struct Reader(ReadOnlySpan<byte> from)
    {
        private ReadOnlySpan<byte> left = from;

        public byte Byte()
        {
            var value = left[0];
            left = left[1..];
            return value;
        }

        public ushort Short() => Take<ushort>();

        public int Int() => Take<int>();

        public long Long() => Take<long>();

        private T Take<T>()
            where T : unmanaged
        {
            var value = MemoryMarshal.Read<T>(left);
            left = left[Marshal.SizeOf<T>()..];
            return value;
        }
    }
}
