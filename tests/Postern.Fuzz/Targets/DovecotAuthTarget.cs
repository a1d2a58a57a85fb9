using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.DovecotAuth;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// What anybody may say to the authentication service for other servers, in pieces of any size: it ends, never throws, answers in whole lines of its own, and
/// only the right password gets in.
/// </summary>
internal sealed class DovecotAuthTarget : ITarget
{
    private const string Hello = "VERSION\t1\t1\nCPID\t1\n";

    private static readonly string[] Answers = ["VERSION", "MECH", "SPID", "CUID", "COOKIE", "DONE", "OK", "FAIL", "CONT"];

    private readonly AuthService service;
    private readonly AuthEvents events = new(NoAuditLog.Instance, TimeProvider.System);

    public DovecotAuthTarget()
    {
        var (passwords, secrets) = (new TestPasswords("alice:secret"), new TestSecrets());
        service = new AuthService(
            new AuthListenerOptions { Name = "fuzz", Places = [], Mechanisms = ["EXTERNAL", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2"] },
            new SaslContext { Passwords = passwords, Grants = passwords, ScramSecrets = secrets, SharedSecrets = secrets, Tokens = secrets },
            static (_, _) => new(new LoginAnswer.NoMatch("unknown user")),
            static () => [],
            TimeProvider.System);
    }

    public string Name => "dovecot-auth";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        Hello + "AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=AGFsaWNlAHNlY3JldA==\n",
        Hello + "AUTH\t1\tLOGIN\tservice=smtp\tsecured\trip=192.0.2.1\tlip=::1\tnologin\tresp=\nCONT\t1\tYWxpY2U=\nCONT\t1\tc2VjcmV0\n",
        Hello + "AUTH\t2\tSCRAM-SHA-256\tservice=imap\tresp=biwsbj1hbGljZSxyPWFiYw==\nCONT\t2\tYz1iaXdzLHI9YWJjLHA9QUFBQQ==\n",
        Hello + "AUTH\t3\tEXTERNAL\tservice=smtp\tsecured\tvalid-client-cert\tcert_username=a\u0001tb\tresp==\nCANCEL\t3\nAUTH\t3\tCRAM-MD5\tservice=x\n",
        "VERSION\t2\t0\n", "CPID\t1\n", "EHLO x\r\n", Hello + "AUTH\t1\tPLAIN\tservice=smtp\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=AGRvd24AeA==\n");

    public int MaxOctets => 2048;

    public bool TakesTranscripts => false;

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. new[]
        {
            Hello, "AUTH\t", "CONT\t", "CANCEL\t", "VERSION\t1\t0\n", "\t1", "\t4294967295", "\tPLAIN", "\tLOGIN", "\tCRAM-MD5", "\tEXTERNAL", "\tSCRAM-SHA-256",
            "\tXOAUTH2", "\tservice=smtp", "\tsecured", "\trip=192.0.2.1", "\tresp=", "\tresp==", "\tAGFsaWNlAHNlY3JldA==", "\tvalid-client-cert", "\tcert_username=alice",
            "\tfinal-resp-ok", "\u0001t", "\u0001", "\t", "\n", "=",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var sizes = Draw.From(input.Span).OneIn(2) ? 1 : int.MaxValue;
        var stream = new PieceStream(input, () => sizes, maxHeard: 4096 + (64 * input.Length));
        using var connection = new AuthConnection(() => service, stream, asker: null, number: 1, events, TimeProvider.System, CancellationToken.None);
        await connection.RunAsync();
        var heard = Encoding.UTF8.GetString(stream.Heard.Span);
        BrokenException.Unless(heard.EndsWith('\n'), "every answer is a whole line");
        var lines = heard.Split('\n')[..^1];
        foreach (var line in lines)
        {
            var fields = line.Split('\t');
            var answer = Array.IndexOf(Answers, fields[0]);
            BrokenException.Unless(answer >= 0, $"it answers in words of the protocol, not {fields[0]}");
            BrokenException.Unless(!line.Any(static c => c is '\r' or '\0'), "no answer holds CR or NUL");
            signal.Add(answer);
            signal.Add(fields.Length);
            if (fields[0] == "OK")
                BrokenException.Unless(fields[2] is "user=alice" or "user=shared", $"nobody becomes somebody else: {line}");
        }

        signal.AddSize(lines.Length);
        return signal.Value;
    }
}
