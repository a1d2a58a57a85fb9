using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Smtp.Session;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// A question in the form of Postfix's policy delegation (SMTPD_POLICY_README): every attribute of Postfix 3.6, a line each, and an empty
/// line. What is not known is empty, a name of the client <c>unknown</c>.
/// </summary>
internal static class PolicyAttributes
{
    /// <summary>The release whose attributes these are.</summary>
    private const string CompatibilityLevel = "3.6";

    private const string Unknown = "unknown";

    public static ReadOnlyMemory<byte> Write(RuleContext context, TimedQuestion asked)
    {
        var (question, facts) = (context.Question, context.Facts);
        var connection = facts.Connection;
        var certificate = connection.Certificate;
        var name = connection.ClientName ?? Unknown;
        var recipients = question.Recipients;
        var lines = new Lines();
        lines.Add("request", "smtpd_access_policy");
        lines.Add("protocol_state", asked.Stage switch { RuleStage.Recipient => "RCPT", RuleStage.Message => "DATA", _ => "MAIL" });
        lines.Add("protocol_name", connection.IsLmtp ? "LMTP" : connection.IsExtended ? "ESMTP" : "SMTP");
        lines.Add("client_address", facts.Client.ToString());
        lines.Add("client_name", name);
        lines.Add("client_port", Number(connection.ClientPort));
        lines.Add("reverse_client_name", name);
        lines.Add("server_address", connection.Server?.Address.ToString());
        lines.Add("server_port", connection.Server is { Port: var port } ? Number(port) : null);
        lines.Add("helo_name", facts.Helo);
        lines.Add("sender", question.Sender.Address);
        lines.Add("recipient", (question.Recipient ?? (recipients.Length == 1 ? recipients[0] : null))?.Address);
        lines.Add("recipient_count", Number(asked.Stage == RuleStage.Message ? recipients.Length : 0));
        lines.Add("queue_id", null);
        lines.Add("instance", $"{facts.Session}.{connection.Transaction:x}");
        lines.Add("size", Number(question.Parameters?.DeclaredSize ?? 0));
        lines.Add("etrn_domain", null);
        lines.Add("stress", null);
        lines.Add("sasl_method", connection.Mechanism);
        lines.Add("sasl_username", facts.Login);
        lines.Add("sasl_sender", question.Parameters?.SubmittedBy?.Address);
        AddCertificate(lines, certificate);
        lines.Add("encryption_protocol", facts.Tls);
        lines.Add("encryption_cipher", connection.Cipher);
        lines.Add("encryption_keysize", connection.Cipher is { } cipher ? Number(KeySize(cipher)) : "0");
        lines.Add("policy_context", asked.Context);
        lines.Add("compatibility_level", CompatibilityLevel);
        return lines.End();
    }

    /// <summary>As Postfix does: names of one that is trusted, fingerprints of any.</summary>
    private static void AddCertificate(Lines lines, ClientCertificate? shown)
    {
        using var certificate = shown is not { Octets.IsEmpty: false } ? null : X509CertificateLoader.LoadCertificate(shown.Octets.Span);
        var named = shown is { IsTrusted: true } ? certificate : null;
        lines.Add("ccert_subject", XTextOf(named?.GetNameInfo(X509NameType.SimpleName, forIssuer: false)));
        lines.Add("ccert_issuer", XTextOf(named?.GetNameInfo(X509NameType.SimpleName, forIssuer: true)));
        lines.Add("ccert_fingerprint", Colons(shown?.Fingerprint));
        lines.Add(
            "ccert_pubkey_fingerprint",
            Colons(certificate is null ? null : Convert.ToHexString(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()))));
    }

    private static string? Colons(string? digits) =>
        digits is null ? null : string.Join(':', digits.ToUpperInvariant().Chunk(2).Select(static two => new string(two)));

    private static string? XTextOf(string? text) =>
        text is null
            ? null
            : string.Concat(Encoding.UTF8.GetBytes(text).Select(static b => b is > 32 and < 127 and not (byte)'+' and not (byte)'='
                ? ((char)b).ToString()
                : string.Create(CultureInfo.InvariantCulture, $"+{b:X2}")));

    private static int KeySize(string cipher) =>
        cipher.Contains("256", StringComparison.Ordinal) && !cipher.Contains("128", StringComparison.Ordinal) ? 256
            : cipher.Contains("CHACHA20", StringComparison.Ordinal) ? 256
            : cipher.Contains("3DES", StringComparison.Ordinal) ? 168
            : 128;

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Lines of <c>name=value</c>. What came from the network cannot make another line.</summary>
    private sealed class Lines
    {
        private readonly ArrayBufferWriter<byte> octets = new(1024);

        public void Add(string name, string? value)
        {
            Write(name);
            Write("=");
            if (value is { Length: > 0 })
                Write(value.Any(char.IsControl) ? string.Concat(value.Select(static c => char.IsControl(c) ? '?' : c)) : value);
            Write("\n");
        }

        public ReadOnlyMemory<byte> End()
        {
            Write("\n");
            return octets.WrittenMemory;
        }

        private void Write(string text) => Encoding.UTF8.GetBytes(text, octets);
    }
}
