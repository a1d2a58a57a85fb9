using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Spool;

namespace Postern.Relay.Tests.Kept;

/// <summary>Kept content on the disk: what was written is read back, or nothing is.</summary>
public sealed class KeptFolderTests : IDisposable
{
    private static readonly DateTimeOffset Until = new(2030, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    private readonly TemporaryDirectory directory = new();
    private readonly KeptFolder folder;

    public KeptFolderTests() => folder = new KeptFolder(Path.Combine(directory.Path, "kept"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string File => Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Single();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(300_001)]
    public async Task A_message_is_read_back_octet_for_octet_with_all_that_was_said_of_it(int length)
    {
        var entry = await WriteAsync(Samples.Asking() with { KeepFor = TimeSpan.FromDays(7) }, Samples.Content(length));

        var found = folder.Find(entry.Envelope.Id, DateTimeOffset.UnixEpoch);
        Assert.Equal((entry.Envelope.Id, Until), (found?.Id, found?.Until));
        using var kept = folder.Open(found!.Value)!;

        Assert.Equal(Samples.Describe(entry), Samples.Describe(kept.Entry));
        Assert.Equal(TimeSpan.FromDays(7), kept.Entry.Envelope.KeepFor);
        Assert.Equal("acme", kept.Entry.Envelope.Tenant);
        Assert.Equal("QQ 314159+=", kept.Entry.Envelope.Parameters.EnvelopeId);
        Assert.Equal(Samples.Content(length), await ReadAsync(kept));
        Assert.Equal([found.Value], folder.All());
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_is_told_and_nothing_is_given_out()
    {
        var entry = await WriteAsync(Samples.Envelope(), Samples.Content(200));
        var (file, sound) = (File, await System.IO.File.ReadAllBytesAsync(File, Ct));
        for (var at = 0; at < sound.Length; at++)
        {
            var damaged = (byte[])sound.Clone();
            damaged[at] ^= 4;
            await System.IO.File.WriteAllBytesAsync(file, damaged, Ct);
            Assert.Throws<InvalidDataException>(() => folder.Open(folder.Find(entry.Envelope.Id, DateTimeOffset.UnixEpoch)!.Value));
        }

        for (var length = 0; length < sound.Length; length++)
        {
            await System.IO.File.WriteAllBytesAsync(file, sound[..length], Ct);
            Assert.Throws<InvalidDataException>(() => folder.Open(folder.Find(entry.Envelope.Id, DateTimeOffset.UnixEpoch)!.Value));
        }
    }

    [Fact]
    public async Task A_file_that_was_given_the_name_of_another_message_is_not_that_message()
    {
        var entry = await WriteAsync(Samples.Envelope(), Samples.Content(10));
        var other = new QueueId(entry.Envelope.Id.Value + 1);
        System.IO.File.Move(File, File.Replace(entry.Envelope.Id.ToString(), other.ToString(), StringComparison.Ordinal));

        Assert.Throws<InvalidDataException>(() => folder.Open(folder.Find(other, DateTimeOffset.UnixEpoch)!.Value));
        Assert.Null(folder.Find(entry.Envelope.Id, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task What_is_kept_is_its_owners_alone_and_is_over_at_its_time()
    {
        var id = (await WriteAsync(Samples.Envelope(), Samples.Content(10))).Envelope.Id;

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
            foreach (var part in (string[])[folder.Path, Path.GetDirectoryName(File)!])
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(part));
        }

        Assert.NotNull(folder.Find(id, Until - TimeSpan.FromMilliseconds(1)));
        Assert.Null(folder.Find(id, Until));
    }

    [Fact]
    public async Task What_a_killed_writer_left_is_no_message_and_goes_with_the_empty_directories_of_the_past()
    {
        var id = (await WriteAsync(Samples.Envelope(), Samples.Content(10))).Envelope.Id;
        var unfinished = File + ".new";
        System.IO.File.Move(File, unfinished);
        Assert.Null(folder.Find(id, DateTimeOffset.UnixEpoch));
        Assert.Empty(folder.All());

        folder.TidyUp(id.CreatedAt);
        Assert.False(System.IO.File.Exists(unfinished));
        Assert.True(Directory.Exists(Path.GetDirectoryName(unfinished)));
        folder.TidyUp(id.CreatedAt + TimeSpan.FromHours(3));
        Assert.Empty(Directory.GetDirectories(folder.Path));
    }

    [Theory]
    [InlineData("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")]
    [InlineData("00000000000000000000000000")]
    public void An_id_that_a_person_made_up_is_not_there(string id)
    {
        Assert.True(QueueId.TryParse(id, out var made));
        Assert.Null(folder.Find(made, DateTimeOffset.UnixEpoch));
    }

    private async Task<SpoolEntry> WriteAsync(Envelope envelope, byte[] content)
    {
        var entry = new SpoolEntry(envelope, content.Length, Samples.FreshState(envelope) with { HasEnded = true });
        await folder.WriteAsync(entry, new MemoryContent(content), Until, Ct);
        folder.Sync(envelope.Id);
        return entry;
    }

    private static async Task<byte[]> ReadAsync(KeptContent kept)
    {
        var all = new byte[kept.Length];
        for (var at = 0; at < all.Length;)
            at += await kept.ReadAsync(at, all.AsMemory(at, Math.Min(10_000, all.Length - at)), Ct);
        Assert.Equal(0, await kept.ReadAsync(kept.Length, new byte[1], Ct));
        return all;
    }
}
