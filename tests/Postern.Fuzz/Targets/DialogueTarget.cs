using Postern.Fuzz.Models;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Whole sessions against the real thing, without sockets: the first octet chooses the listener, the second how the rest is cut. A model of the
/// client counts the replies and knows what may be stored.
/// </summary>
internal sealed class DialogueTarget : ITarget
{
    private const int HeaderOctets = 2;

    private readonly DialogueServer[] servers = DialogueServer.All();

    public string Name => "dialogue";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Transcripts.SelectMany(t => servers.Where(s => s.Suits(t.Setup)).Select(s => (byte[])[(byte)Array.IndexOf(servers, s), 0, .. t.Octets]));

    public int MaxOctets => 3000;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        if (input.Length < HeaderOctets)
            return 0;
        var server = servers[input.Span[0] % servers.Length];
        var largest = input.Span[1] switch { 0 => input.Length, 1 => 1, var size => size };
        var said = input[HeaderOctets..];
        using var stream = new PieceStream(said, Draw.From(input.Span).Sizes(largest), DialogueServer.MaxOutput(said.Length));
        server.Begin();
        await server.HoldAsync(stream);
        BrokenException.Unless(server.Fault is null, $"no session faults: {server.Fault}");
        BrokenException.Unless(server.OpenDrafts == 0, "every draft is disposed");

        var model = new ClientModel(server.Rules, said, stream.Heard);
        model.Check();
        BrokenException.Unless(model.Stored.SequenceEqual(server.Stored), $"what was acknowledged is stored, and nothing else: {model.Stored.Count} acknowledged, {server.Stored.Count} stored");
        return model.Behaviour;
    }
}
