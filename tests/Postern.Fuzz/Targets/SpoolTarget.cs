using System.Buffers.Binary;
using System.Text;
using Postern.Fuzz.Models;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// A spool of five messages whose file was damaged in places that the input names, six octets each: where (three), what (one), with what (two). It
/// opens, or says why not; nothing else is thrown, what stands before the first damage is there whole, and what is there is what was stored.
/// </summary>
internal sealed class SpoolTarget : ITarget
{
    private const int EditOctets = 6;
    private const int MaxEdits = 6;

    private Original? original;
    private int number;

    public string Name => "spool";

    public Reached Reached { get; } = new("opened", "all there", "some lost");

    public bool TakesTranscripts => false;

    public int MaxOctets => EditOctets * MaxEdits;

    public IEnumerable<byte[]> Seeds =>
    [
        [], [0, 0, 0, 0, 1, 0], [0, 0, 200, 1, 0, 64], [0, 4, 0, 2, 0, 0], [0, 2, 0, 3, 0, 80], [0, 1, 0, 4, 0, 5], [0, 6, 0, 0, 255, 255, 0, 12, 0, 1, 0, 255],
        .. Enumerable.Range(0, 60).Select(static i => (byte[])[0, (byte)(i / 2), (byte)(i * 128), (byte)(i % 5), 0, 77]),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = [[0, 0, 0], [0, 0, 64], [0, 0, 128], [0, 1, 0], [1, 0], [2, 0, 0], [255, 255], "PREC"u8.ToArray(), "POSTSEG\n"u8.ToArray()];

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var world = original ??= await Original.CreateAsync();
        var directory = Path.Combine(world.Home, $"copy{number++ % 4}");
        world.CopyTo(directory, input, out var firstDamage);
        try
        {
            await using var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = directory, SegmentSize = Original.SegmentSize, Reserve = 0 }, world.Clock, new QuickFiles());
            Reached.Note("opened");
            var there = 0;
            foreach (var (id, content, end) in world.Messages)
            {
                var state = await FindAsync(spool, id, content);
                signal.Add((int)state);
                BrokenException.Unless(state == Found.Whole || end > firstDamage, $"what stands before the damage is whole: a message that ends at {end} is {state}, the damage begins at {firstDamage}");
                there += state == Found.Whole ? 1 : 0;
                if (state == Found.Damaged)
                    Reached.Note("content damaged");
            }

            BrokenException.Unless(spool.Count <= world.Messages.Count, "no message comes out of nothing");
            Reached.Note(there == world.Messages.Count ? "all there" : "some lost");
        }
        catch (SpoolUnavailableException e)
        {
            Reached.Note("refused to open");
            signal.Add(e.Message.Length);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        return signal.Value;
    }

    private static async ValueTask<Found> FindAsync(SegmentSpool spool, QueueId id, byte[] stored)
    {
        if (await spool.FindAsync(id, CancellationToken.None) is null)
            return Found.Lost;
        try
        {
            using var content = (await spool.OpenContentAsync(id, CancellationToken.None))!;
            var octets = new byte[content.Length];
            for (var at = 0; at < octets.Length;)
            {
                var read = await content.ReadAsync(at, octets.AsMemory(at), CancellationToken.None);
                if (read == 0)
                    return Found.Damaged;
                at += read;
            }

            BrokenException.Unless(octets.AsSpan().SequenceEqual(stored), "content that can be read is what was stored");
            return Found.Whole;
        }
        catch (InvalidDataException)
        {
            return Found.Damaged;
        }
    }

    private enum Found
    {
        Lost,
        Damaged,
        Whole,
    }

    /// <summary>The spool as it was, and where in its file each message was whole.</summary>
    private sealed record Original(string Home, string File, byte[] Octets, List<(QueueId Id, byte[] Content, long End)> Messages, ManualClock Clock)
    {
        public const long SegmentSize = 64 * 1024;

        public static async Task<Original> CreateAsync()
        {
            var (home, clock) = (Scratch.Directory("damaged"), new ManualClock());
            var directory = Path.Combine(home, "whole");
            var messages = new List<(QueueId, byte[], long)>();
            await using (var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = directory, SegmentSize = SegmentSize, Reserve = 0 }, clock, new QuickFiles()))
            {
                for (var i = 0; i < 5; i++)
                {
                    var content = Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\n{string.Concat(Enumerable.Range(0, 40 << i).Select(n => (char)('a' + ((n + i) % 26))))}\r\n");
                    var envelope = new Envelope { Id = QueueId.New(clock), ArrivedAt = clock.GetUtcNow(), Said = new(new ReversePath(Mailbox.Parse("a@example.org")), [Mailbox.Parse($"r{i}@example.com"), Mailbox.Parse("x@example.com")]) };
                    await using var draft = spool.CreateDraft();
                    await draft.AppendAsync(content, CancellationToken.None);
                    await draft.CommitAsync(envelope, DeliveryState.Fresh(2, clock.GetUtcNow()), CancellationToken.None);
                    if (i % 2 == 1)
                        await spool.ChangeAsync(envelope.Id, _ => DeliveryState.Fresh(2, clock.GetUtcNow()) with { Attempts = i }, CancellationToken.None);
                    messages.Add((envelope.Id, content, EndOf(SegmentIn(directory))));
                }
            }

            var file = SegmentIn(directory);
            return new Original(home, Path.GetRelativePath(directory, file), System.IO.File.ReadAllBytes(file), messages, clock);
        }

        public void CopyTo(string directory, ReadOnlyMemory<byte> edits, out long first)
        {
            var whole = Path.Combine(Home, "whole");
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var name in Directory.EnumerateFiles(whole))
                System.IO.File.Copy(name, Path.Combine(directory, Path.GetFileName(name)));
            var octets = new List<byte>(Octets);
            first = long.MaxValue;
            for (var rest = edits.Span; rest.Length >= EditOctets; rest = rest[EditOctets..])
            {
                var at = ((rest[0] << 16) | (rest[1] << 8) | rest[2]) % Math.Max(1, octets.Count);
                var argument = BinaryPrimitives.ReadUInt16BigEndian(rest[4..]);
                first = Math.Min(first, at);
                Edit(octets, rest[3] % 5, at, argument);
            }

            System.IO.File.WriteAllBytes(Path.Combine(directory, File), octets.ToArray());
        }

        private static void Edit(List<byte> octets, int kind, int at, int argument)
        {
            var length = Math.Min(argument, octets.Count - at);
            switch (kind)
            {
                case 0 when octets.Count > 0:
                    octets[at] ^= (byte)Math.Max(1, argument & 0xFF);
                    break;
                case 1:
                    octets.GetRange(at, length).Select((_, i) => at + i).ToList().ForEach(i => octets[i] = 0);
                    break;
                case 2:
                    octets.RemoveRange(at, octets.Count - at);
                    break;
                case 3:
                    octets.InsertRange(at, octets.GetRange(at, length));
                    break;
                case 4:
                    octets.RemoveRange(at, length);
                    break;
            }
        }

        private static string SegmentIn(string directory) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).MaxBy(static f => new FileInfo(f).Length)!;

        private static long EndOf(string file) => System.IO.File.ReadAllBytes(file).AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
    }
}
