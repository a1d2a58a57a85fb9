using System.Text;
using MimeKit;
using MimeKit.Cryptography;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Dkim;

/// <summary>Every signature of 500 hard messages verifies, in programs that do not know each other.</summary>
public sealed class HardMessagesVerifyTests(HardMessagesVerifyTests.Signed signed) : IClassFixture<HardMessagesVerifyTests.Signed>
{
    private const int Count = 500;
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task MimeKit_verifies_both_signatures_of_each()
    {
        var verifier = new DkimVerifier(new PublishedKeys(signed.Records));
        var failed = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            using var stream = new MemoryStream(signed.Messages[i]);
            var message = await MimeMessage.LoadAsync(stream, TestContext.Current.CancellationToken);
            foreach (var field in message.Headers.Where(static h => h.Id == HeaderId.DkimSignature).Take(2))
            {
                if (!await verifier.VerifyAsync(message, field, TestContext.Current.CancellationToken))
                    failed.Add($"{i}: {field.Value[..40]}");
            }
        }

        Assert.Empty(failed);
    }

    [Fact]
    public Task Dkimpy_verifies_both_signatures_of_each() => VerifyAsync("dkimpy_verify.py", "import dkim, nacl", "python3-dkim and python3-nacl");

    [Fact]
    public Task Opendkim_verifies_both_signatures_of_each() =>
        VerifyAsync("opendkim_verify.py", "import ctypes; ctypes.CDLL('libopendkim.so.11')", "opendkim-tools");

    /// <summary>
    /// The program itself, which takes keys from the machine's resolver alone: in namespaces where that is an unbound with the keys. It looks at no signature of a message
    /// that lacks a Date, or has two of a field that there may be one of, so it gets the same messages without that.
    /// </summary>
    [Fact]
    public async Task Opendkim_testmsg_verifies_both_signatures_of_each()
    {
        const string Tool = "/usr/sbin/opendkim-testmsg", Server = "/usr/sbin/unbound";
        string[] apart = ["unshare", "--net", "--mount", .. Environment.IsPrivilegedProcess ? (string[])[] : ["--user", "--map-root-user"]];
        Assert.SkipUnless(File.Exists(Tool) && File.Exists(Server) && File.Exists(Python), "opendkim-tools or unbound is not installed");
        Assert.SkipUnless((await RunningProgram.RunAsync([.. apart, "true"])).ExitCode == 0, "namespaces are not to be had here");

        var result = await RunningProgram.RunAsync([.. apart, Python, Path.Combine(AppContext.BaseDirectory, "Dkim", "Peers", "opendkim_testmsg.py"), signed.Completed, signed.KeyFile, Tool, Server]);

        Assert.Equal((0, $"verified {2 * Count}\n"), (result.ExitCode, result.Output + result.Error));
    }

    private async Task VerifyAsync(string script, string needs, string package)
    {
        Assert.SkipUnless(File.Exists(Python) && (await RunningProgram.RunAsync([Python, "-c", needs])).ExitCode == 0, $"{package} is not installed");
        var result = await RunningProgram.RunAsync([Python, Path.Combine(AppContext.BaseDirectory, "Dkim", "Peers", script), signed.Folder, signed.KeyFile]);
        Assert.Equal((0, $"verified {2 * Count}\n"), (result.ExitCode, result.Output + result.Error));
    }

    /// <summary>The messages as the next hop has them.</summary>
    public sealed class Signed : IAsyncLifetime
    {
        private readonly DkimRig rig = new();

        public string Folder { get; } = Directory.CreateTempSubdirectory("pst").FullName;

        /// <summary>The same messages, signed, as RFC 5322 wants them.</summary>
        public string Completed => Path.Combine(Folder, "completed");

        /// <summary>A line each: the name of a record, and its text.</summary>
        public string KeyFile => Path.Combine(Folder, "keys");

        public List<byte[]> Messages { get; } = [];

        public Dictionary<string, string> Records { get; } = new(StringComparer.Ordinal);

        public async ValueTask InitializeAsync()
        {
            await rig.WithKeysAsync();
            foreach (var key in rig.Keys)
                Records.Add(key.RecordName, key.RecordText);
            await File.WriteAllLinesAsync(KeyFile, Records.Select(static r => $"{r.Key} {r.Value}"));
            Directory.CreateDirectory(Completed);
            foreach (var content in HardMessages.All(Count))
            {
                var completed = HardMessages.Complete(content);
                var above = await rig.SignAsync(Encoding.Latin1.GetBytes(completed), piece: 1 + (Messages.Count % 7 * 1000));
                await File.WriteAllBytesAsync(Path.Combine(Completed, $"{Messages.Count:000}.eml"), Encoding.Latin1.GetBytes(SentByData.Of(above + completed)));
                var header = await rig.SignAsync(Encoding.Latin1.GetBytes(content), piece: 1 + (Messages.Count % 7 * 1000));
                Messages.Add(Encoding.Latin1.GetBytes(SentByData.Of(header + content)));
                await File.WriteAllBytesAsync(Path.Combine(Folder, $"{Messages.Count - 1:000}.eml"), Messages[^1]);
            }
        }

        public ValueTask DisposeAsync()
        {
            rig.Dispose();
            Directory.Delete(Folder, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
