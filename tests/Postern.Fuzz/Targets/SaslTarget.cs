using System.Text;
using Postern.Sasl;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Every mechanism against any responses, one a line: it ends, never throws, and only the right password gets in.</summary>
internal sealed class SaslTarget : ITarget
{
    private const int MaxSteps = 8;

    private readonly SaslContext context;

    public SaslTarget()
    {
        var passwords = new TestPasswords("alice:secret");
        context = new SaslContext { Passwords = passwords, Grants = passwords };
    }

    public string Name => "sasl";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("\0\0alice\0secret", "\0shared\0alice\0secret", "\0alice\0alice\0secret", "\0\0down\0x", "\u0001alice\nsecret", "\u0001alice\nwrong", "\u0001", "\u0002n,,n=alice,r=abc\nc=biws,r=abc,p=AAAA");

    public int MaxOctets => 2048;

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return signal.Value;
        var mechanism = SaslMechanisms.All[input.Span[0] % SaslMechanisms.All.Count];
        signal.Add(input.Span[0] % SaslMechanisms.All.Count);
        if (mechanism.TryStart(context) is not { } exchange)
            return signal.Value;
        var rest = input[1..];
        ReadOnlyMemory<byte>? response = Draw.From(input.Span).OneIn(4) ? null : Take(ref rest);
        for (var steps = 0; ; steps++)
        {
            BrokenException.Unless(steps < MaxSteps, $"an exchange of {mechanism.Name} ends");
            switch (await exchange.NextAsync(response, CancellationToken.None))
            {
                case SaslStep.Challenge(var challenge):
                    signal.AddSize(challenge.Length);
                    response = Take(ref rest);
                    break;
                case SaslStep.Success { Identity: var identity }:
                    BrokenException.Unless(Encoding.Latin1.GetString(input.Span).Contains("secret", StringComparison.Ordinal), "nobody gets in without the password");
                    BrokenException.Unless(identity is { AuthenticationId: "alice", AuthorizationId: "alice" or "shared" }, $"nobody becomes somebody else: {identity}");
                    signal.Add(identity.AuthorizationId.Length);
                    return signal.Value;
                case SaslStep.Failure failure:
                    signal.Add((int)failure.Error + 100);
                    signal.Add(failure.Reason.Length);
                    signal.Add(failure.UserExists);
                    return signal.Value;
            }
        }
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> rest)
    {
        var end = rest.Span.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return line;
    }
}
