using BenchmarkDotNet.Attributes;
using Postern.Smtp.Message;

namespace Postern.Bench;

/// <summary>Strict dot-unstuffing of lines of 70 octets, the last of them the lone dot.</summary>
[MemoryDiagnoser]
public class DataPath
{
    private byte[] content = [];

    [Params(4 * 1024, 64 * 1024)]
    public int Octets { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var line = new byte[70];
        line.AsSpan().Fill((byte)'x');
        "\r\n"u8.CopyTo(line.AsSpan(68));
        content = [.. Enumerable.Repeat(line, Octets / 70).SelectMany(static l => l), .. ".\r\n"u8];
    }

    [Benchmark]
    public long Unstuff()
    {
        var unstuffer = new DotUnstuffer();
        var (at, total) = (0, 0L);
        while (!unstuffer.IsComplete)
        {
            unstuffer.Next(content.AsSpan(at), out var skip, out var length, out var after);
            at += skip + length + after;
            total += length;
        }

        return total;
    }
}
