using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Accounts.Certificates;
using Postern.Smtp.Transport.Tls;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Client certificates that the runtime takes: they are read and judged, or cannot be read, which is the one exception that a handshake expects.</summary>
internal sealed class CertificateTarget : ITarget, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority authority = TestAuthority.Create("fuzz");
    private readonly CertificateAuthorities authorities;

    public CertificateTarget() => authorities = new CertificateAuthorities([authority.Certificate], []);

    public string Name => "certificate";

    public Reached Reached { get; } = new("read", "named", "judged bad");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1500;

    public IEnumerable<byte[]> Seeds =>
    [
        authority.IssueClient("CN=lisa", emails: ["lisa@example.org"], names: ["a.example", "b.example"]).RawData,
        authority.IssueClient("CN=\"a, b\", O=\u00e9, E=x@y", names: ["*.example"], validFor: TimeSpan.FromHours(1)).RawData,
        authority.IssueClient("CN=x", extension: new X509AuthorityInformationAccessExtension(ocspUris: ["http://127.0.0.1:1/"], ["http://127.0.0.1:1/"])).RawData,
        authority.IssueClient("CN=x", emails: [], usage: "1.3.6.1.5.5.7.3.1").RawData,
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Words.Of("99991231235959Z", "00000101000000Z", "00010101000000Z", "20260230000000Z", "500101000000Z", "991231235959Z", "19691231235959Z", "lisa@example.org", "\0", "\u202e"),
        [0x30, 0x80], [0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], [0x02, 0x01, 0x00], [0x82, 0x00], [0x81, 0x00], [0x16, 0x01, 0xFF], [0x1E, 0x02, 0xD8, 0x00], [0x0C, 0x02, 0xC3, 0x28], [0x18, 0x0F], [0x17, 0x0D], [0x05, 0x00],
    ];

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(input.Span);
            var shown = ClientCertificateReader.Read(certificate, chain: null, SslPolicyErrors.RemoteCertificateChainErrors);
            Reached.Note("read");
            BrokenException.Unless(!shown.Subject.Any(char.IsControl), "a subject has no control character");
            if (shown.EmailAddresses.Length + shown.DnsNames.Length > 0)
                Reached.Note("named");
            signal.Add(shown.EmailAddresses.Length);
            signal.Add(shown.DnsNames.Length);
            var why = authorities.WhyNot(shown, Now);
            Reached.Note(why is null ? "judged good" : "judged bad");
            signal.Add(why?.Length ?? 0);
        }
        catch (CryptographicException e)
        {
            Reached.Note("not readable");
            signal.Add(e.Message.Length);
        }

        return new(signal.Value);
    }

    public void Dispose() => authority.Dispose();
}
