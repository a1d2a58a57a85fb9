using System.Text;
using Postern.Fuzz.Models;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Testing;
using Postern.Sasl.Verifiers;

namespace Postern.Fuzz.Targets;

/// <summary>Files of users, of both kinds: whatever stands in one, each line is a user or a problem with its number, and nothing is an exception.</summary>
internal sealed class CredentialTarget : ITarget
{
    private const string Realm = "mail.example.org";

    private readonly Lazy<(string File, StoreContext Context)> world = new(static () =>
    {
        var home = Scratch.Directory("credentials");
        var clock = new ManualClock();
        var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(home, "directory.db")) { Clock = clock });
        return (Path.Combine(home, "users"), new StoreContext(directory, new Decoys(directory.DecoyKey.Span), new CheckedLog(), clock));
    });

    public string Name => "credentials";

    public Reached Reached { get; } = new("known", "unknown", "cannot say", "problem");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1500;

    public IEnumerable<byte[]> Seeds => Texts.Append([0, (byte)'a', 0xC3, 0x28]);

    private static byte[][] Texts => Fuzz.Seeds.Of(
        "\0alice:secret\nbob:{PLAIN}x\n", "\u0001alice:mail.example.org:0123456789abcdef0123456789abcdef\n", "\0# x\r\n\r\nalice:$6$rounds=5000$salt$hash\n", "\0alice:*:19000:0:99999:7:::\nbob:!\nc:\n:x\nd\n",
        "\0alice:SCRAM-SHA-256$4096:AAAA$AAAA:AAAA\n", "\0alice:{SSHA}abcd\nbob:$2y$10$abcdefghijklmnopqrstuu\n", "\0alice:$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA\n", "\u0001alice:other:0123456789abcdef0123456789abcdef\nx:y\n", "\0\u00ef\u00bb\u00bfalice:\u00ad\n", "\0alice:a\nALICE:b\n", "\0\uffff");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of([":", "\n", "\r\n", "alice", "bob", "$1$", "$5$rounds=", "$6$", "$y$j9T$", "$7$", "{PLAIN}", "{CRYPT}", "{DIGEST-MD5}", "{SHA512-CRYPT}", "SCRAM-SHA-256$", "SCRAM-SHA-512$", "!", "*", "!!", "#", "\t", "\u00a0", "\u0000", "mail.example.org", "0123456789abcdef0123456789abcdef", .. NumberTexts.All]);

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return signal.Value;
        var (file, context) = world.Value;
        await File.WriteAllBytesAsync(file, input[1..]);
        var source = new AccountSource(((input.Span[0] & 1) == 0 ? "file://" : "digest://") + file, Realm);
        var kind = AccountStores.Of(source)!;
        foreach (var problem in kind.Warn(source))
        {
            Reached.Note("problem");
            BrokenException.Unless(problem.Contains(file, StringComparison.Ordinal), "a problem names its file");
            signal.Add(problem.Length);
        }

        signal.Add((int)kind.CommonForms(source));
        using var store = AccountStores.Open(context, source);
        foreach (var name in (string[])["alice", "bob", "nobody"])
        {
            var answer = await store.FindAsync(name, CancellationToken.None);
            Reached.Note(NameOf(answer));
            if (answer is LoginAnswer.Found<StoredLogin> { Stored: var login })
            {
                BrokenException.Unless(login.User == name, "a user is found by its own name");
                foreach (var credential in login.Credentials)
                    signal.Add(Encoding.UTF8.GetBytes(credential.Hash.Scheme));
            }
            else
            {
                signal.Add(answer.GetType().Name.Length);
            }
        }

        BrokenException.Unless(((CheckedLog)context.Audit).Flaw is null, $"the log can be read: {((CheckedLog)context.Audit).Flaw}");
        return signal.Value;
    }

    private static string NameOf(LoginAnswer answer) => answer switch
    {
        LoginAnswer.Found<StoredLogin> => "known",
        LoginAnswer.NoMatch => "unknown",
        _ => "cannot say",
    };
}
