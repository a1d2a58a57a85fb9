using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Each client mechanism against any challenges, one a line; <c>$</c> in a challenge stands for the nonce that the client said, so that a server can go on from
/// it. The client ends, never throws, and trusts no server that has not proven itself.
/// </summary>
internal sealed class SaslClientTarget : ITarget
{
    private const int MaxSteps = 6;

    private static readonly ISaslClientMechanism[] Mechanisms = [.. SaslClientMechanisms.All.Where(static m => m is not (GssapiClient or ExternalClient))];

    public string Name => "sasl-client";

    public Reached Reached { get; } = new("Response", "Cancel", "a proof by SCRAM-SHA-256", "a proof by DIGEST-MD5", "too many iterations");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1000;

    public IEnumerable<byte[]> Seeds =>
    [
        .. from mechanism in Enumerable.Range(0, Mechanisms.Length)
           from text in (string[])["", "\n", "$\n", "Username:\nPassword:\n", "<1.2@x>\n", "r=$x,s=AAAA,i=4096\nv=AAAA\n", "r=$x,s=AAAA,i=1\ne=other-error\n", "r=$x,s=AAAA,i=2147483647\n", "r=$x,s=AAAA,i=2147483648,ext=1\n", "realm=\"x\",realm=\"y\",nonce=\"abc\",qop=\"auth,auth-int\",maxbuf=18446744073709551616,algorithm=md5-sess,charset=utf-8\nrspauth=00\n", "{\"status\":\"400\"}\n"]
           select (byte[])[(byte)mechanism, .. Encoding.UTF8.GetBytes(text)],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(["r=$", ",s=", ",i=", ",m=x", "v=", "e=", "nonce=\"", "realm=", "qop=", "maxbuf=", "cipher=", "stale=true", "algorithm=md5-sess", "charset=utf-8", "rspauth=", "\\\"", ",", "=", "$", "\n", .. NumberTexts.All.Select(static n => $"i={n}"), .. NumberTexts.All]);

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return new(signal.Value);
        var mechanism = Mechanisms[input.Span[0] % Mechanisms.Length];
        signal.Add(input.Span[0] % Mechanisms.Length);
        using var exchange = mechanism.TryStart(new SaslClientCredentials { User = "alice", Password = new Secret("secret"), Token = new Secret("token"), Host = "x", MinIterations = 1, MaxIterations = 5000 });
        if (exchange is null)
            return new(signal.Value);
        var (nonce, rest) = (string.Empty, input[1..]);
        ReadOnlyMemory<byte>? challenge = null;
        for (var steps = 0; steps < MaxSteps; steps++)
        {
            switch (exchange.Next(challenge))
            {
                case SaslClientStep.Cancel(var reason):
                    Reached.Note(reason.StartsWith("the server asks for an iteration count", StringComparison.Ordinal) ? "too many iterations" : "Cancel");
                    signal.Add(reason.Length);
                    return new(signal.Value);
                case SaslClientStep.Response(var data):
                    Reached.Note(steps == 1 && data is { Length: > 0 } ? $"a proof by {mechanism.Name}" : "Response");
                    var said = Encoding.UTF8.GetString((data ?? default).Span);
                    nonce = said.IndexOf("r=", StringComparison.Ordinal) is >= 0 and var at && steps == 0 ? said[(at + 2)..] : nonce;
                    signal.AddSize(data?.Length ?? -1);
                    break;
            }

            BrokenException.Unless(!exchange.MayTrustSuccess || mechanism.Name is not ("DIGEST-MD5" or "SCRAM-SHA-1" or "SCRAM-SHA-256" or "SCRAM-SHA-512"), "a server that does not know the password proves nothing");
            var end = rest.Span.IndexOf((byte)'\n');
            challenge = Expand(end < 0 ? rest : rest[..end], nonce);
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        return new(signal.Value);
    }

    private static byte[] Expand(ReadOnlyMemory<byte> challenge, string nonce)
    {
        var at = challenge.Span.IndexOf((byte)'$');
        return at < 0 ? challenge.ToArray() : [.. challenge.Span[..at], .. Encoding.UTF8.GetBytes(nonce), .. challenge.Span[(at + 1)..]];
    }
}
