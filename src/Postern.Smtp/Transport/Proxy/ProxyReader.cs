using System.Buffers;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>Reads the PROXY header off the front of a connection, and not one octet more.</summary>
internal static class ProxyReader
{
    /// <summary>The header, or why there is none. Never holds more than <see cref="ProxyProtocol.MaxOctets"/>.</summary>
    /// <exception cref="OperationCanceledException">It did not come in time.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async ValueTask<ProxyStep> ReadAsync(Stream network, CancellationToken ct)
    {
        var octets = ArrayPool<byte>.Shared.Rent(256);
        try
        {
            for (var length = 0; ;)
            {
                var step = ProxyProtocol.Read(octets.AsSpan(0, length));
                if (step.Need == 0)
                    return step;
                if (length + step.Need > octets.Length)
                    octets = Grow(octets, length, ProxyProtocol.MaxOctets);
                var read = await network.ReadAsync(octets.AsMemory(length, step.Need), ct);
                if (read == 0)
                    return ProxyStep.Wrong("lost connection before the PROXY header");
                length += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(octets);
        }
    }

    private static byte[] Grow(byte[] octets, int length, int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        octets.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(octets);
        return larger;
    }
}
