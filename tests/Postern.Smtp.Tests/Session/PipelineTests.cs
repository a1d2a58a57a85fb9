using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Sasl;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>
/// Random pipelines of commands, right, wrong and garbage, in any phase and cut anywhere, against the session on a stream in memory: each command
/// gets one reply, in order, and one that its phase permits. Row 88 and row 90 of hostile input.
/// </summary>
public sealed class PipelineTests
{
    private const int Longest = 80;

    private static readonly string[] Usual =
    [
        "EHLO c", "HELO c", "MAIL FROM:<a@example.org>", "MAIL FROM:<>", "MAIL FROM:<a@example.org> SIZE=1", "RCPT TO:<b@accepted.example>", "RCPT TO:<b@elsewhere.example>",
        "DATA", "a line of content", ".", "..", "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH LOGIN", "YWxpY2U=", "c2VjcmV0", "RSET", "NOOP", "NOOP x",
    ];

    private static readonly string[] Unusual =
    [
        "EHLO", "HELO", "MAIL FROM:<", "MAIL FROM:<refused@example.org>", "RCPT TO:<", "RCPT TO:<full@accepted.example>", "AUTH PLAIN AGFsaWNlAHdyb25n", "AUTH PLAIN =", "AUTH PLAIN !", "AUTH X",
        "VRFY x", "HELP", "XYZZY", "", " ", "\u00ff\u00fe", "NOOP " + new string('x', 2100), new string('y', 3000), "*", "ehlo c", "rset",
    ];

    /// <summary>They end the session, so they are rare.</summary>
    private static readonly string[] Last = ["QUIT", "STARTTLS", "NO\rOP", "N\0OP"];

    /// <summary>With POSTERN_SOAK=1 a million pipelines, for minutes.</summary>
    [Fact]
    public void Row_88_a_million_random_commands_get_one_permitted_reply_each() =>
        Check(pipelines: Environment.GetEnvironmentVariable("POSTERN_SOAK") is { Length: > 0 } ? 1_000_000 : 46_000);

    private static void Check(int pipelines)
    {
        var command = Gen.Frequency((700, Gen.Elements(Usual)), (300, Gen.Elements(Unusual)), (2, Gen.Elements(Last)));
        var pipeline = from length in Gen.Choose(1, Longest)
                       from lines in command.ArrayOf(length)
                       from largest in Gen.Elements(1, 3, 40, 4000, 100_000)
                       from seed in Gen.Choose(0, int.MaxValue)
                       select (Lines: lines, Largest: largest, Seed: seed);
        var listener = Listener();
        var commands = 0L;
        Prop.ForAll(pipeline.ToArbitrary(), p => Play(listener, p.Lines, p.Largest, p.Seed, ref commands)).Check(Config.QuickThrowOnFailure.WithMaxTest(pipelines));
        Assert.True(commands >= 22L * pipelines, $"{commands} commands are fewer than meant");
    }

    /// <summary>Counts the commands that were answered; throws where an answer is missing, not permitted, or nobody's.</summary>
    private static void Play((SmtpServer Server, SmtpListenerOptions Options) listener, string[] lines, int largest, int seed, ref long commands)
    {
        var random = new Random(seed);
        using var stream = new PieceStream(PhaseModel.Encode(lines), () => random.Next(1, largest + 1));
        var serving = listener.Server.HoldAsync(stream, listener.Options, IPAddress.Loopback);
        Assert.True(serving.IsCompletedSuccessfully, "a session over a stream that never waits has ended");

        var replies = Codes(Encoding.ASCII.GetString(stream.Heard.Span));
        var model = new PhaseModel();
        var next = 0;
        Assert.Equal(220, replies[next++]);
        foreach (var line in lines)
        {
            var permitted = model.Permitted(line);
            if (permitted.Length == 0)
                continue;
            commands++;
            if (next == replies.Count && model.MayBeOver)
                break;
            Assert.True(next < replies.Count, $"no reply to '{line}'");
            var code = replies[next++];
            Assert.True(permitted == "*" || permitted.Contains($"{code}", StringComparison.Ordinal), $"'{line}' was answered {code}, not {permitted}");
            model.Follow(line, code);
            if (model.IsOver)
                break;
        }

        Assert.Equal(next, replies.Count);
    }

    private static List<int> Codes(string output)
    {
        List<int> codes = [];
        foreach (var line in output.Split("\r\n")[..^1])
        {
            if (line[3] == ' ')
                codes.Add(int.Parse(line.AsSpan(0, 3)));
        }

        return codes;
    }

    private static (SmtpServer Server, SmtpListenerOptions Options) Listener()
    {
        var options = new SmtpListenerOptions { Name = "test", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Always };
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [options],
            Policy = new TestPolicy(),
            Store = new ForgetfulStore(),
            Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret") },
            Limits = new SessionLimits { BadCommands = 1000, Refusals = 1000, FailedLogins = 1000 },
        });
        return (server, options);
    }
}
