using Postern.Hosting.Drop;
using Postern.Smtp.Session;

namespace Postern.Fuzz.Targets;

/// <summary>Files that any user of the machine may leave in the drop directory: read or not, never an exception, and what is read can be written and read again.</summary>
internal sealed class DropTarget : ITarget
{
    private readonly string path = Path.GetTempFileName();

    public string Name => "drop";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "postern-drop 1 0000000000000001\nfrom\ta@example.org\tBODY=8BITMIME RET=HDRS ENVID=x\nto\tb@example.net\tNOTIFY=SUCCESS,DELAY ORCPT=rfc822;c@example.net\nto\t\"d e\"@example.net\t\n\nx",
        "postern-drop 1 0000000000000000\nuser\troot\nfrom\t\t\nto\tgr\u00fc\u00dfe@example.com\t\n\n", "postern-drop 1 0000000000000003\nfrom\t\tSMTPUTF8 BY=3600;N HOLDUNTIL=2026-11-21T10:00:00Z AUTH=<>\nto\troot@[192.0.2.1]\t\n\n\n\n\n", "postern-drop 2 0\n\n", "\n\n");

    public int MaxOctets => 2_000;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (Read(input.Span) is not { } dropped)
            return new(signal.Value);
        signal.Add(dropped.Envelope.Recipients.Length);
        signal.Add(dropped.User is null ? 0 : 1);
        byte[] again = [.. DropFile.Head(dropped.Envelope, dropped.User, dropped.Length), .. input.Span[(int)dropped.ContentAt..]];
        var second = Read(again);
        BrokenException.Unless(second is not null && Describe(second.Envelope) == Describe(dropped.Envelope) && second.User == dropped.User, "what was read is written and read again");
        BrokenException.Unless(!Describe(dropped.Envelope).Any(char.IsControl), "no address holds a control character");
        return new(signal.Value);
    }

    private static string Describe(SmtpEnvelope envelope) =>
        $"{envelope.Sender} {envelope.Parameters} {string.Join(' ', envelope.Recipients.Select((r, i) => $"{r.Address} {envelope.ParametersOf(i)}"))}";

    private DropFile? Read(ReadOnlySpan<byte> octets)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.Write(file, octets, fileOffset: 0);
        return DropFile.TryRead(file, out var dropped, out _) ? dropped : null;
    }
}
