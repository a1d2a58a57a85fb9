using System.Text;
using Postern.Relay.Accounts.Dovecot;
using Postern.Relay.Accounts.Stores.Dovecot;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// What a Dovecot may say that is asked about logins, in pieces of any size: every request has an answer, only a whole OK to that request is a yes, and what is told
/// of the answer holds no control character.
/// </summary>
internal sealed class DovecotClientTarget : ITarget
{
    private const string Hello = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nSPID\t7\nCUID\t1\nCOOKIE\t00\nDONE\n";

    public string Name => "dovecot-client";

    public Reached Reached { get; } = new("open", "Ok", "Fail", "Goes", "Broken");

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        Hello + "OK\t1\tuser=lisa@example.org\t\toriginal_user=lisa\nFAIL\t2\tuser=x\tcode=temp_fail\treason=no\u0001nway\n",
        Hello + "CONT\t1\tPDFAeD4=\nOK\t2\tuser=x\tresp=dj1h\tauth_user=y\n", Hello + "FAIL\t1\tuser_disabled\nFAIL\t2\tauthz\n", Hello + "OK\t3\tuser=x\n", Hello + "OK\t2\nOK\t1\tuser=\n",
        Hello + "OK\t1\tuser=x\tnologin\treason=gone\n\n", "VERSION\t1\t1\nSPID\t1\n", "VERSION\t2\t0\n", "220 x ESMTP\r\n");

    public int MaxOctets => 2048;

    public bool TakesTranscripts => false;

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Words.Of(
            Hello, "OK\t", "FAIL\t", "CONT\t", "1\t", "2\t", "\tuser=", "\tauth_user=", "\tresp=", "\treason=", "\tcode=", "temp_fail", "user_disabled", "pass_expired", "\tnologin", "\tproxy", "\u0001n", "\u0001",
            "\t", "\n", "MECH\t", "DONE\n", "private", "4294967295", "AAAA", "="),
    ];

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var sizes = Draw.From(input.Span).OneIn(2) ? 1 : int.MaxValue;
        var (connection, why) = await DovecotConnection.OpenAsync(new PieceStream(input, () => sizes), TimeSpan.FromSeconds(1), static () => Task.FromResult<string?>(null), TimeProvider.System, CancellationToken.None);
        BrokenException.Unless(connection is null == why is not null, "a connection, or why there is none");
        signal.Add(why?.Length ?? 0);
        if (connection is null)
            return signal.Value;
        Reached.Note("open");
        using (connection)
            Judge(await connection.BeginAsync("PLAIN", "\tservice=smtp", "\0lisa\0tiger"u8.ToArray(), out _, CancellationToken.None), ref signal);
        foreach (var line in Encoding.UTF8.GetString(input.Span).Split('\n'))
        {
            if (Read(Encoding.UTF8.GetBytes(line)) is { } answer)
                Judge(answer, ref signal);
        }

        return signal.Value;
    }

    private static DovecotAnswer? Read(byte[] line)
    {
        var fields = new AuthFields(line);
        _ = fields.TryTake(out var word);
        _ = fields.TryTake(out _);
        return DovecotAnswer.Read(word, fields);
    }

    private void Judge(DovecotAnswer answer, ref Signal signal)
    {
        Reached.Note(answer.GetType().Name);
        signal.Add(answer.GetType().Name.Length);
        var reason = DovecotReply.WhyNot(answer, "lisa");
        BrokenException.Unless(reason is null == answer is DovecotAnswer.Ok { IsShutOut: false, User.Length: > 0 }, "only an OK with a user logs in");
        var text = reason switch
        {
            LoginAnswer.NoMatch(var no, _) => no,
            { WhyOpen: { } open } => open,
            _ => string.Empty,
        };
        BrokenException.Unless(!text.Any(char.IsControl), "what is told is one line");
        BrokenException.Unless(!text.Contains("lisa", StringComparison.OrdinalIgnoreCase), "what is told holds no name");
    }
}
