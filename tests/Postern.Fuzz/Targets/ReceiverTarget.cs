using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>What a receiver publishes about its TLS and shows in a handshake: the first octet says which of it the rest is.</summary>
internal sealed class ReceiverTarget : ITarget, IDisposable
{
    private readonly TestAuthority authority = TestAuthority.Create("fuzz");
    private readonly DaneProof proof;

    public ReceiverTarget() => proof = new DaneProof(
        [new TlsaRecord(TlsaUsage.Anchor, TlsaSelector.Certificate, TlsaMatching.Sha256, [.. SHA256.HashData(authority.Certificate.RawData)])], ["mx.example.org"]);

    public string Name => "receiver";

    public bool TakesTranscripts => false;

    public int MaxOctets => 2000;

    public IEnumerable<byte[]> Seeds =>
    [
        [0, .. "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"u8],
        [0, .. "version: STSv1\nmode: none\nmax_age: 0\n"u8],
        [1, .. "v=STSv1; id=20160831085700Z;"u8],
        [2, .. "v=TLSRPTv1; rua=mailto:reports@example.com,https://reporting.example.com/v1/tlsrpt"u8],
        [3, .. authority.IssueServer(["mx.example.org"]).RawData],
        [3, .. authority.IssueServer(["*.example.org"], usage: "1.3.6.1.5.5.7.3.2", validFor: TimeSpan.FromHours(1)).RawData],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Words.Of("version:", "STSv1", "mode:", "testing", "enforce", "none", "mx:", "*.", "max_age:", "31557600", "v=STSv1;", "id=", "v=TLSRPTv1;", "rua=", "mailto:", "https://", ",", "%2B", "?", "\n"),
        [0x30, 0x80], [0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], [0x02, 0x01, 0x00], [0x82, 0x00], [0xA0, 0x03, 0x02, 0x01, 0x02],
    ];

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return new(signal.Value);
        var rest = input[1..];
        var text = Encoding.Latin1.GetString(rest.Span);
        DnsRecord[] records = [new DnsRecord.Txt("x", TimeSpan.Zero, text)];
        switch (input.Span[0] & 3)
        {
            case 0:
                Policy(text, ref signal);
                break;
            case 1:
                var id = StsRecord.IdOf(records);
                signal.Add(id is null);
                BrokenException.Unless(id is null || (id.Length is > 0 and <= 32 && id.All(char.IsAsciiLetterOrDigit)), "an id is letters and digits");
                break;
            case 2:
                var wanted = TlsReportRecord.Read(records);
                signal.Add(wanted is null ? 0 : 1 + wanted.Mailboxes.Length + wanted.Addresses.Length);
                BrokenException.Unless(wanted is null || wanted.Mailboxes.Length + wanted.Addresses.Length is > 0 and <= 3, "a domain names few places");
                break;
            default:
                Certificate(rest.Span, ref signal);
                break;
        }

        return new(signal.Value);
    }

    public void Dispose() => authority.Dispose();

    private static void Policy(string text, ref Signal signal)
    {
        var (policy, problem) = StsPolicy.Parse(text);
        BrokenException.Unless(policy is null != problem is null, "it is a policy, or has a problem");
        BrokenException.Unless(problem is null || !problem.Any(char.IsControl), "a problem is one line");
        signal.Add(problem?.Length ?? 0);
        if (policy is null)
            return;
        signal.Add(policy.Mx.Length);
        signal.Add((int)policy.Mode);
        BrokenException.Unless(policy.MaxAge <= TimeSpan.FromSeconds(31_557_600), "no policy is forever");
        var again = StsPolicy.Parse(string.Join('\n', policy.Lines)).Policy;
        BrokenException.Unless(again is not null && again.Mode == policy.Mode && again.MaxAge == policy.MaxAge && again.Mx.SequenceEqual(policy.Mx), "what is written again is the same");
        var kept = StsKept.Parse(new StsKept(policy, "1", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch).ToJson());
        BrokenException.Unless(kept.Policy.Mx.SequenceEqual(policy.Mx), "what is kept is the same");
    }

    private void Certificate(ReadOnlySpan<byte> octets, ref Signal signal)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(octets);
            var shown = ShownCertificate.Of(certificate);
            BrokenException.Unless(!shown.For.Any(char.IsControl) && !shown.Issuer.Any(char.IsControl), "what is shown is one line");
            signal.Add(shown.Names.Length);
            using var chain = new X509Chain { ChainPolicy = new() { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck } };
            chain.ChainPolicy.ExtraStore.Add(authority.Certificate);
            var why = proof.WhyNot(certificate, chain, SslPolicyErrors.RemoteCertificateChainErrors);
            signal.Add((int?)why?.Fault ?? -1);
        }
        catch (CryptographicException)
        {
            // A certificate that cannot be read, which is what a handshake expects.
            signal.Add(fact: true);
        }
    }
}
