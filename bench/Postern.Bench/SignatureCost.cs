using System.Diagnostics;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Dkim;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>CPU of the signatures of one message, all of it: header, body, keys.</summary>
internal static class SignatureCost
{
    private const int Messages = 1_000;
    private const int Rounds = 8;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("postern-dkim-").FullName;
        try
        {
            using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")));
            var commands = new DirectoryCommands(directory, TimeProvider.System).Dkim;
            var signer = new DkimSigner(directory, new DkimOptions(), static (_, _) => { });
            foreach (var octets in new[] { 4 * 1024, 256 * 1024 })
            {
                commands.Remove("example.org", selector: null);
                var none = await MeasureAsync(signer, octets);
                await MakeAsync(commands, DkimAlgorithm.Rsa);
                var rsa = await MeasureAsync(signer, octets);
                await MakeAsync(commands, DkimAlgorithm.Ed25519);
                var both = await MeasureAsync(signer, octets);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{octets / 1024} KiB: no key {none:0.000} ms of CPU a message, RSA-2048 {rsa:0.000} ms, Ed25519 beside it {both - rsa:0.000} ms more"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MakeAsync(DkimCommands commands, DkimAlgorithm algorithm)
    {
        commands.Create("example.org", selector: null, algorithm, imported: null);
        await commands.ActivateAsync("example.org", dns: null, CancellationToken.None);
    }

    /// <summary>Milliseconds of this process's CPU for one message.</summary>
    private static async Task<double> MeasureAsync(DkimSigner signer, int octets)
    {
        var body = string.Concat(Enumerable.Repeat("A line of a message, as long as they are, with two  spaces in it.\r\n", octets / 68));
        using var content = new Content(Encoding.ASCII.GetBytes(
            "Received: from a by b\r\nFrom: Lisa <lisa@example.org>\r\nTo: bart@example.net\r\nSubject: Dinner\r\nDate: Sun, 29 Nov 2026 12:00:00 +0000\r\n"
            + $"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{body}"));
        var envelope = new Envelope
        {
            Id = QueueId.New(TimeProvider.System),
            ArrivedAt = TimeProvider.System.GetUtcNow(),
            Said = new SmtpEnvelope(new ReversePath(Mailbox.Parse("lisa@example.org")), [Mailbox.Parse("bart@example.net")]),
            Login = "lisa@example.org",
        };
        // The least of several rounds: the first ones also compile.
        var least = TimeSpan.MaxValue;
        using var process = Process.GetCurrentProcess();
        for (var round = 0; round < Rounds; round++)
        {
            process.Refresh();
            var before = process.TotalProcessorTime;
            for (var i = 0; i < Messages; i++)
                await signer.HeaderAsync(envelope, default, content, CancellationToken.None);
            process.Refresh();
            var took = process.TotalProcessorTime - before;
            least = took < least ? took : least;
        }

        return least.TotalMilliseconds / Messages;
    }

    private sealed class Content(byte[] octets) : ISpoolContent
    {
        private readonly ByteContent content = new(octets);

        public long Length => content.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => content.ReadAsync(offset, buffer, ct);

        public void Dispose()
        {
        }
    }
}
