using Postern.Smtp.Session;
using Postern.Smtp.Transport.Proxy;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>PROXY protocol headers, both versions: the same in any pieces, not one octet of what follows is taken, and no claim can break a log line.</summary>
internal sealed class ProxyTarget : ITarget
{
    private static readonly byte[] Signature = [.. "\r\n\r\n\0\r\nQUIT\n"u8];

    public string Name => "proxy";

    public IEnumerable<byte[]> Seeds =>
    [
        .. Fuzz.Seeds.Of(
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO c\r\n", "PROXY TCP6 2001:db8::1 2001:db8::2 65535 25\r\n", "PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 x 1 2\r\nQUIT\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 0 0\n"),
        [.. Signature, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 25, .. "EHLO c\r\n"u8],
        [.. Signature, 0x21, 0x21, 0, 36, .. new byte[36]],
        [.. Signature, 0x20, 0x00, 0, 0, .. "QUIT\r\n"u8],
        [.. Signature, 0x21, 0x11, 0, 33, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 25, 2, 0, 3, .. "a.b"u8, 0x20, 0, 12, 7, 0, 0, 0, 0, 0x21, 0, 4, .. "TLSv"u8],
        [.. Signature, 0x21, 0x11, 0, 19, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 25, 3, 0, 4, 0, 0, 0, 0],
        [.. Signature, 0x21, 0x31, 0, 216, .. new byte[216]],
        [.. Signature, 0x21, 0x11, 255, 255],
    ];

    public int MaxOctets => 600;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var draw = Draw.From(input.Span);
        var (whole, taken) = await ReadAsync(input, draw.Sizes(1));
        var (pieces, takenInPieces) = await ReadAsync(input, draw.Sizes(4096));
        BrokenException.Unless(Describe(whole) == Describe(pieces), $"the same header in any pieces: {Describe(whole)} is not {Describe(pieces)}");
        BrokenException.Unless(whole.Header is null || taken == takenInPieces, "as much is taken in any pieces");

        var signal = new Signal();
        signal.Add(whole.Problem?.Length ?? 0);
        if (whole.Header is not { } header)
            return signal.Value;
        BrokenException.Unless(ProxyProtocol.Read(input.Span[..taken]).Header is not null, "a header is a header by itself");
        for (var less = 0; less < taken; less++)
            BrokenException.Unless(ProxyProtocol.Read(input.Span[..less]).Header is null, "no part of a header is one");
        BrokenException.Unless(header.Source?.AddressFamily == header.Destination?.AddressFamily, "both ends are of one family");
        signal.Add((int?)header.Source?.AddressFamily ?? 0);
        Check(header.Claims, ref signal);
        return signal.Value;
    }

    private static async ValueTask<(ProxyStep Step, int Taken)> ReadAsync(ReadOnlyMemory<byte> input, Func<int> sizes)
    {
        using var stream = new PieceStream(input, sizes);
        return (await ProxyReader.ReadAsync(stream, CancellationToken.None), stream.Said);
    }

    private static string Describe(ProxyStep step) => $"{step.Header?.Source} {step.Header?.Destination} {step.Header?.Claims.Authority} {step.Header?.Claims.UniqueId} {step.Problem is null}";

    private static void Check(ProxyClaims claims, ref Signal signal)
    {
        foreach (var text in (ReadOnlySpan<string?>)[claims.Alpn, claims.Authority, claims.UniqueId, claims.NetworkNamespace, claims.Tls?.Version, claims.Tls?.Cipher])
        {
            signal.Add(text is not null);
            BrokenException.Unless(text is null || !text.Any(char.IsControl), "no claim holds a control character");
        }
    }
}
