using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Scram;

namespace Postern.Sasl.Client;

/// <summary>SCRAM and its -PLUS forms (RFC 5802, RFC 7677); the server has to prove itself by its signature.</summary>
public sealed class ScramClient : ISaslClientMechanism
{
    private readonly HashAlgorithmName algorithm;
    private readonly bool isPlus;

    private ScramClient(string hash, HashAlgorithmName algorithm, bool isPlus)
    {
        this.algorithm = algorithm;
        this.isPlus = isPlus;
        Name = isPlus ? $"SCRAM-{hash}-PLUS" : $"SCRAM-{hash}";
    }

    /// <summary>SCRAM-SHA-1.</summary>
    public static ScramClient Sha1 { get; } = new("SHA-1", HashAlgorithmName.SHA1, isPlus: false);

    /// <summary>SCRAM-SHA-256.</summary>
    public static ScramClient Sha256 { get; } = new("SHA-256", HashAlgorithmName.SHA256, isPlus: false);

    /// <summary>SCRAM-SHA-512.</summary>
    public static ScramClient Sha512 { get; } = new("SHA-512", HashAlgorithmName.SHA512, isPlus: false);

    /// <summary>SCRAM-SHA-1-PLUS.</summary>
    public static ScramClient Sha1Plus { get; } = new("SHA-1", HashAlgorithmName.SHA1, isPlus: true);

    /// <summary>SCRAM-SHA-256-PLUS.</summary>
    public static ScramClient Sha256Plus { get; } = new("SHA-256", HashAlgorithmName.SHA256, isPlus: true);

    /// <summary>SCRAM-SHA-512-PLUS.</summary>
    public static ScramClient Sha512Plus { get; } = new("SHA-512", HashAlgorithmName.SHA512, isPlus: true);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <summary>
    /// Begins with a server that offers no -PLUS mechanism, or by one; <see cref="SaslClientMechanisms.Choose"/> knows what was offered.
    /// </summary>
    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) => TryStart(credentials, serverBinds: isPlus);

    /// <param name="serverBinds">
    /// The server offers some -PLUS mechanism; where it does not and we could bind, it is told so (RFC 5802 §6).
    /// </param>
    internal ISaslClientExchange? TryStart(SaslClientCredentials credentials, bool serverBinds)
    {
        if (ClientText.Prepare(credentials) is not var (user, password, actAs))
            return null;
        var (flag, data) = Bind(credentials.Channel);
        if (isPlus && flag is null)
            return null;
        var header = (isPlus ? flag : flag is not null && !serverBinds ? "y" : "n")
            + ","
            + (actAs.Length > 0 ? "a=" + SaslName.Encode(actAs) : string.Empty)
            + ",";
        return new Exchange(
            algorithm, user, password, header, isPlus ? data : default, credentials.MinIterations, credentials.MaxIterations);
    }

    private static (string? Flag, ReadOnlyMemory<byte> Data) Bind(ChannelBindings? channel)
    {
        foreach (var type in channel?.Types ?? [])
        {
            if (channel!.TryGet(type, out var data))
                return ("p=" + type.Name, data);
        }

        return (null, default);
    }

    internal sealed class Exchange(
        HashAlgorithmName algorithm,
        string user,
        string password,
        string header,
        ReadOnlyMemory<byte> binding,
        int minIterations,
        int maxIterations) : ISaslClientExchange
    {
        private const int MaxMessageOctets = 8 * 1024;

        private int step;
        private string bare = string.Empty;
        private string? expected;

        public bool MayTrustSuccess { get; private set; }

        /// <summary>Fixed by tests that replay a recorded dialogue.</summary>
        internal string ClientNonce { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));

        public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
        {
            if (step++ == 0)
            {
                bare = $"n={SaslName.Encode(user)},r={ClientNonce}";
                return new SaslClientStep.Response(Encoding.UTF8.GetBytes(header + bare));
            }

            if (challenge is not { } octets || !StrictUtf8.TryDecode(octets.Span, MaxMessageOctets, out var text))
                return new SaslClientStep.Cancel("the server's message is missing, too long or not UTF-8");
            return step switch
            {
                2 => Prove(text),
                3 => Verify(text),
                _ => new SaslClientStep.Cancel("the server goes on after its final message"),
            };
        }

        public void Dispose()
        {
        }

        private SaslClientStep Prove(string serverFirst)
        {
            var parts = serverFirst.Split(',');
            if (parts.Length < 3
                || !parts.Skip(3).All(ScramClientFirst.IsExtension)
                || !parts[0].StartsWith("r=", StringComparison.Ordinal)
                || !parts[1].StartsWith("s=", StringComparison.Ordinal)
                || !parts[2].StartsWith("i=", StringComparison.Ordinal))
                return new SaslClientStep.Cancel("the server's first message is malformed");
            var nonce = parts[0][2..];
            if (!nonce.StartsWith(ClientNonce, StringComparison.Ordinal)
                || nonce.Length == ClientNonce.Length
                || !ScramClientFirst.IsNonce(nonce))
                return new SaslClientStep.Cancel("the server's nonce does not go on from ours");
            if (!StrictBase64.TryDecode(Encoding.UTF8.GetBytes(parts[1][2..]), out var salt) || salt.Length == 0)
                return new SaslClientStep.Cancel("the server's salt is malformed");
            if (!int.TryParse(parts[2].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
                || iterations < minIterations
                || iterations > maxIterations)
                return new SaslClientStep.Cancel(
                    $"the server asks for an iteration count that is not between {minIterations} and {maxIterations}");

            byte[] bound = [.. Encoding.UTF8.GetBytes(header), .. binding.Span];
            var withoutProof = $"c={Convert.ToBase64String(bound)},r={nonce}";
            var signed = Encoding.UTF8.GetBytes($"{bare},{serverFirst},{withoutProof}");
            var salted = Rfc2898DeriveBytes.Pbkdf2(
                Encoding.UTF8.GetBytes(password), salt, iterations, algorithm, ScramFunctions.SizeOf(algorithm));
            var proof = ScramFunctions.Proof(algorithm, salted, signed);
            expected = "v=" + Convert.ToBase64String(
                CryptographicOperations.HmacData(algorithm, CryptographicOperations.HmacData(algorithm, salted, "Server Key"u8), signed));
            CryptographicOperations.ZeroMemory(salted);
            return new SaslClientStep.Response(Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}"));
        }

        private SaslClientStep Verify(string serverFinal)
        {
            var signature = serverFinal.Split(',')[0];
            if (signature.StartsWith("e=", StringComparison.Ordinal))
                return new SaslClientStep.Cancel($"the server refuses: {ServerText.Printable(signature[2..])}");
            MayTrustSuccess = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(expected!));
            return MayTrustSuccess
                ? SaslClientStep.Response.Empty
                : new SaslClientStep.Cancel("the server could not prove that it knows the password");
        }
    }
}
