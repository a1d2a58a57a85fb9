using System.Buffers;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits a client that shows one of a few certificates, by its fingerprint: whoever signed it does not matter, as whoever signs for the
/// public signs for everybody.
/// </summary>
internal sealed class PermitTlsClientCertificate : IRelayRule
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    private static readonly ArgumentKind<string[]> Fingerprints = new(
        "fingerprints", "SHA-256 fingerprints, 64 hexadecimal digits each, with spaces between", TryFingerprints);

    private readonly string[] known = [];

    public PermitTlsClientCertificate()
    {
    }

    private PermitTlsClientCertificate(string[] known) => this.known = known;

    public string Name => "permit_tls_client_certificate";

    public string Doc => "permit: the client shows one of the certificates whose SHA-256 fingerprints stand behind the word";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`permit_tls_client_certificate` in a list of rules: a client that shows one of these certificates. "
            + "The listener asks for one where `client_certificates` says so.";

    public string Shorthand => "fingerprints";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new PermitTlsClientCertificate(
        arguments.Required(
            "fingerprints", Fingerprints, "As `openssl x509 -noout -fingerprint -sha256` prints them; colons and case do not matter."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(context.Facts.Certificate switch
        {
            null => new RuleAnswer.Pass("no certificate"),
            var shown when known.Contains(shown, StringComparer.Ordinal) => new RuleAnswer.Permit($"the certificate {shown}"),
            var shown => new RuleAnswer.Pass(
                $"the certificate {shown} is none of these", (_, _) => new($"add {shown} to {Name} in rules")),
        });

    private static bool TryFingerprints(string text, out string[] value)
    {
        value = [
            .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static one => one.Replace(":", null, StringComparison.Ordinal).ToLowerInvariant()),
        ];
        return value.Length > 0 && Array.TrueForAll(value, static one => one.Length == 64 && !one.AsSpan().ContainsAnyExcept(Digits));
    }
}
