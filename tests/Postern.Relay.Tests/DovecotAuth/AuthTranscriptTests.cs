using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Tests.Policy;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>
/// Dialogues whose file names are statements: <c>C:</c> is sent, <c>S:</c> expected (<c>*</c> matches the rest of a line), <c>S+ handshake</c> stands for all of
/// it, <c>T:</c> is the trouble that the log tells. Each is played whole, by line and octet by octet.
/// </summary>
public sealed class AuthTranscriptTests
{
    private const string Folder = "tests/Postern.Relay.Tests/DovecotAuth/Transcripts";

    private static readonly string[] Usual = ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

    public static TheoryData<string> Names() =>
        [.. Directory.EnumerateFiles(SourceTree.PathOf(Folder), "*.auth").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal).OfType<string>()];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_played(string name)
    {
        var lines = await File.ReadAllLinesAsync(SourceTree.PathOf($"{Folder}/{name}.auth"), TestContext.Current.CancellationToken);
        var says = Encoding.Latin1.GetBytes(string.Concat(Of(lines, "C: ").Select(static l => l + "\n")));
        foreach (var (pieces, size) in new (string, Func<int, int>)[] { ("whole", _ => int.MaxValue), ("by line", at => LineFrom(says, at)), ("octet by octet", _ => 1) })
        {
            var log = new RecordingAuditLog();
            var heard = await PlayAsync(says, size, OptionsOf(lines), log);

            var expected = lines.Where(static l => l.StartsWith('S')).SelectMany(l => l == "S+ handshake" ? Handshake(OptionsOf(lines)) : [Unescape(l[3..])]).ToList();
            Assert.True(Fits(expected, heard), $"{name}, {pieces}:\n{string.Join('\n', heard)}\nin the place of\n{string.Join('\n', expected)}");
            Assert.Equal(
                Of(lines, "T: ").Select(static t => $"postfix: by its socket: {t}"),
                log.Events.OfType<ServerEvent>().Select(static e => e.Detail));
        }
    }

    internal static AuthService Service(AuthListenerOptions options)
    {
        var (passwords, secrets) = (new TestPasswords("alice:secret"), new TestSecrets());
        var sasl = new SaslContext { Passwords = passwords, Grants = passwords, ScramSecrets = secrets, SharedSecrets = secrets, Tokens = secrets, AllowsAnonymous = true };
        return new AuthService(
            options,
            sasl,
            static (user, _) => new(user == "alice" ? new LoginAnswer.Match(user) : new LoginAnswer.NoMatch("unknown user")),
            static () => Usual,
            TimeProvider.System);
    }

    private static async Task<string[]> PlayAsync(byte[] says, Func<int, int> size, AuthListenerOptions options, RecordingAuditLog log)
    {
        PieceStream? stream = null;
        stream = new PieceStream(says, () => size(stream!.Said));
        var service = Service(options);
        using var connection = new AuthConnection(() => service, stream, asker: null, number: 7, new AuthEvents(log, TimeProvider.System), TimeProvider.System, CancellationToken.None);
        await connection.RunAsync();
        return Encoding.UTF8.GetString(stream.Heard.Span).Split('\n')[..^1];
    }

    private static AuthListenerOptions OptionsOf(string[] lines) => new()
    {
        Name = "postfix",
        Places = [new AuthPlace.Unix("/run/auth")],
        TakesSecretsInClear = Of(lines, "# auth: ").Contains("always"),
        Mechanisms = Of(lines, "# mechanisms: ").FirstOrDefault()?.Split(' '),
        MechanismsUnderTls = Of(lines, "# under_tls: ").FirstOrDefault()?.Split(' ') ?? [],
    };

    private static string[] Handshake(AuthListenerOptions options) => Service(options).Handshake(7, new string('0', 32)).Split('\n')[..^1];

    private static bool Fits(List<string> expected, string[] heard) =>
        expected.Count == heard.Length && expected.Zip(heard).All(static pair =>
            pair.First == pair.Second
            || pair.First.StartsWith("COOKIE\t", StringComparison.Ordinal)
            || (pair.First.EndsWith('*') && pair.Second.StartsWith(pair.First[..^1], StringComparison.Ordinal)));

    private static IEnumerable<string> Of(string[] lines, string prefix) =>
        lines.Where(l => l.StartsWith(prefix, StringComparison.Ordinal)).Select(l => Unescape(l[prefix.Length..]));

    private static string Unescape(string line) => line.Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\x01", "\u0001", StringComparison.Ordinal);

    private static int LineFrom(byte[] says, int at) => says.AsSpan(at).IndexOf((byte)'\n') + 1;
}
