using System.Security.Cryptography;
using System.Text;
using MimeKit;
using MimeKit.Cryptography;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Dkim.Arc;

/// <summary>Chains over 500 hard messages: others judge ours as we do, and we theirs.</summary>
public sealed class HardMessagesSealTests(HardMessagesSealTests.Sealed made) : IClassFixture<HardMessagesSealTests.Sealed>
{
    private const int Count = 500;
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task MimeKit_takes_each_of_our_chains_and_none_that_was_changed()
    {
        var verifier = new ArcVerifier(new PublishedKeys(made.Records));
        var wrong = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            if (await JudgeAsync(verifier, made.Messages[i]) is not ArcSignatureValidationResult.Pass and var result)
                wrong.Add($"{i}: {result}");
            if (await JudgeAsync(verifier, made.Changed[i]) is not ArcSignatureValidationResult.Fail and var passed)
                wrong.Add($"{i} changed: {passed}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("pass", "sealed")]
    [InlineData("fail", "changed")]
    public async Task Dkimpy_judges_as_we_do(string judgement, string folder)
    {
        await RequireAsync("import dkim");
        var result = await RunAsync(judgement, Path.Combine(made.Folder, folder), made.KeyFile);
        Assert.Equal((0, $"{judgement} {Count}\n"), (result.ExitCode, result.Output + result.Error));
    }

    [Fact]
    public async Task Both_of_our_own_signatures_of_each_verify_here_too()
    {
        var wrong = new List<string>();
        foreach (var content in HardMessages.All(Count))
        {
            var signed = await made.Rig.Dkim.SignAsync(Encoding.Latin1.GetBytes(content), piece: 1 + wrong.Count);
            var set = await made.Rig.SealAsync(SentByData.Of(signed + content));
            if (set.Split("dkim=pass").Length != 3)
                wrong.Add(set);
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_chain_that_was_changed_is_judged_so_here_too()
    {
        for (var i = 0; i < Count; i++)
            Assert.Contains("; cv=fail;", await made.Rig.SealAsync(Encoding.Latin1.GetString(made.Changed[i])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chains_of_dkimpy_pass_here_and_fail_where_they_were_changed()
    {
        await RequireAsync("import dkim, authres");
        var folder = Directory.CreateDirectory(Path.Combine(made.Folder, "dkimpy")).FullName;
        foreach (var (content, i) in HardMessages.All(Count).Select(static (c, i) => (c, i)))
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{i:000}.eml"), Encoding.Latin1.GetBytes(SentByData.Of(HardMessages.Complete(content))));
        Assert.Equal((0, $"sign {Count}\n"), await OutcomeAsync("sign", folder, made.KeyFile, made.PrivateKeyFile));

        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(folder, "*.eml"))
            await JudgeHereAsync(Path.GetFileName(file), await File.ReadAllBytesAsync(file), wrong);
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Chains_of_MimeKit_pass_here_and_fail_where_they_were_changed()
    {
        var wrong = new List<string>();
        var i = 0;
        foreach (var content in HardMessages.All(Count))
        {
            using var stream = new MemoryStream(Encoding.Latin1.GetBytes(SentByData.Of(HardMessages.Complete(content))));
            var message = await MimeMessage.LoadAsync(stream, TestContext.Current.CancellationToken);
            using var key = new MemoryStream(await File.ReadAllBytesAsync(made.PrivateKeyFile));
            var signer = new Signer(key, new PublishedKeys(made.Records));
            await signer.SignAsync(message, [HeaderId.From, HeaderId.Subject, HeaderId.To], TestContext.Current.CancellationToken);
            using var written = new MemoryStream();
            var format = FormatOptions.Default.Clone();
            format.NewLineFormat = NewLineFormat.Dos;
            await message.WriteToAsync(format, written, TestContext.Current.CancellationToken);
            await JudgeHereAsync($"{i++}", written.ToArray(), wrong);
        }

        Assert.Empty(wrong);
    }

    private async Task JudgeHereAsync(string name, byte[] message, List<string> wrong)
    {
        var text = Encoding.Latin1.GetString(message);
        var set = await made.Rig.SealAsync(text);
        if (!set.Contains("; cv=pass;", StringComparison.Ordinal))
            wrong.Add($"{name}: {set}");
        if (!(await made.Rig.SealAsync(text + "changed\r\n")).Contains("; cv=fail;", StringComparison.Ordinal))
            wrong.Add($"{name} changed");
    }

    private static async Task<ArcSignatureValidationResult> JudgeAsync(ArcVerifier verifier, byte[] octets)
    {
        using var stream = new MemoryStream(octets);
        var message = await MimeMessage.LoadAsync(stream, TestContext.Current.CancellationToken);
        return (await verifier.VerifyAsync(message, TestContext.Current.CancellationToken)).Chain;
    }

    private static async Task RequireAsync(string needs) => Assert.SkipUnless(
        File.Exists(Python) && (await RunningProgram.RunAsync([Python, "-c", needs])).ExitCode == 0, "python3-dkim or python3-authres is not installed");

    private static Task<ProgramResult> RunAsync(params string[] arguments) =>
        RunningProgram.RunAsync([Python, Path.Combine(AppContext.BaseDirectory, "Dkim", "Peers", "dkimpy_arc.py"), .. arguments]);

    private static async Task<(int, string)> OutcomeAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        return (result.ExitCode, result.Output + result.Error);
    }

    private sealed class Signer(Stream key, IDkimPublicKeyLocator keys) : ArcSigner(key, "there.example", "sel")
    {
        protected override AuthenticationResults GenerateArcAuthenticationResults(
            FormatOptions options, MimeMessage message, CancellationToken cancellationToken = default) => new("there.example");

        protected override Task<AuthenticationResults> GenerateArcAuthenticationResultsAsync(
            FormatOptions options, MimeMessage message, CancellationToken cancellationToken = default) =>
            Task.FromResult(GenerateArcAuthenticationResults(options, message, cancellationToken));

        public IDkimPublicKeyLocator Keys => keys;
    }

    /// <summary>The messages as the next hop has them, with two sets above each.</summary>
    public sealed class Sealed : IAsyncLifetime
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("pst").FullName;

        /// <summary>A line each: the name of a record, and its text.</summary>
        public string KeyFile => Path.Combine(Folder, "keys");

        /// <summary>Of <c>sel._domainkey.there.example</c>.</summary>
        public string PrivateKeyFile => Path.Combine(Folder, "private.pem");

        public List<byte[]> Messages { get; } = [];

        /// <summary>The same with one octet of the body, or of a seal, that is another.</summary>
        public List<byte[]> Changed { get; } = [];

        public Dictionary<string, string> Records { get; } = new(StringComparer.Ordinal);

        internal ArcRig Rig { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Rig.WithKeysAsync();
            using var other = RSA.Create(2048);
            Rig.Records["sel._domainkey.there.example"] = $"v=DKIM1; k=rsa; p={Convert.ToBase64String(other.ExportSubjectPublicKeyInfo())}";
            await File.WriteAllTextAsync(PrivateKeyFile, other.ExportRSAPrivateKeyPem());
            foreach (var (name, text) in Rig.Records)
                Records.Add(name, text!);
            await File.WriteAllLinesAsync(KeyFile, Records.Select(static r => $"{r.Key} {r.Value}"));
            foreach (var name in (string[])["sealed", "changed"])
                Directory.CreateDirectory(Path.Combine(Folder, name));
            foreach (var content in HardMessages.All(Count))
            {
                var i = Messages.Count;
                var text = SentByData.Of(content);
                for (var set = 0; set < 2; set++)
                    text = await Rig.SealAsync(text, piece: 1 + (i % 7 * 1000)) + text;
                Messages.Add(Encoding.Latin1.GetBytes(text));
                Changed.Add(Encoding.Latin1.GetBytes(i % 2 == 0 ? $"{text}changed\r\n" : text.Replace("i=1; mail.example.org;", "i=1; mail.example.net;", StringComparison.Ordinal)));
                await File.WriteAllBytesAsync(Path.Combine(Folder, "sealed", $"{i:000}.eml"), Messages[i]);
                await File.WriteAllBytesAsync(Path.Combine(Folder, "changed", $"{i:000}.eml"), Changed[i]);
            }
        }

        public ValueTask DisposeAsync()
        {
            Rig.Dispose();
            Directory.Delete(Folder, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
