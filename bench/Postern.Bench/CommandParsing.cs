using BenchmarkDotNet.Attributes;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Bench;

/// <summary>From octets to a verb and a mailbox, as the session does it for each command.</summary>
[MemoryDiagnoser]
public class CommandParsing
{
    private readonly byte[] mail = "MAIL FROM:<lisa@example.org> SIZE=4096 BODY=8BITMIME\r\n"u8.ToArray();
    private readonly byte[] noop = "NOOP\r\n"u8.ToArray();

    [Benchmark]
    public int Noop() => Find(noop).Length;

    [Benchmark]
    public bool Mail()
    {
        var argument = Find(mail);
        PathParser.TrySplit(argument.Span, "FROM:"u8, out var path, out var text);
        var parameters = new EsmtpParameters(text);
        while (parameters.TryNext())
        {
        }

        return Mailbox.TryParse(path, out _) && !parameters.IsMalformed;
    }

    private static ReadOnlyMemory<byte> Find(byte[] input)
    {
        LineReader.TryFind(input, 2048, takesLf: false, out var length, out _);
        var command = Smtp.Grammar.CommandLine.Split(input.AsMemory(0, length));
        return VerbTable.Find(command.Verb.Span) is null ? throw new InvalidOperationException() : command.Argument;
    }
}
