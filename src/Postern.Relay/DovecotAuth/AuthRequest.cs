using System.Buffers;
using System.Net;
using System.Text;
using Postern.Relay.Accounts.Dovecot;
using Postern.Sasl;

namespace Postern.Relay.DovecotAuth;

/// <summary>What an asking server says with AUTH: who wants to log in how, and from where.</summary>
/// <param name="Mechanism">In upper case; it need not exist.</param>
/// <param name="Service">The protocol of the client's login, such as <c>smtp</c>.</param>
internal sealed record AuthRequest(uint Id, string Mechanism, string Service)
{
    private const int MaxName = 20;
    private const int MaxService = 32;
    private const int MaxTls = 16;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    private static readonly SearchValues<char> WordCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>The connection between the client and the asking server is safe from listeners.</summary>
    public bool IsSecured { get; init; }

    /// <summary>Such as <c>TLSv1.3</c>; null where it is not told.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>The client of the asking server; null where it is not told, or is no address.</summary>
    public IPAddress? Client { get; init; }

    /// <summary>The asking server has believed a certificate of the client.</summary>
    public bool HasValidCertificate { get; init; }

    /// <summary>Whom that certificate names; null for nobody.</summary>
    public string? CertificateUser { get; init; }

    /// <summary>OK may carry what the mechanism has to say with its success.</summary>
    public bool TakesFinalData { get; init; }

    /// <summary>The initial response; null where there is none. Wiped when it has been judged.</summary>
    public byte[]? Response { get; init; }

    /// <summary>The initial response is not base64.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Reads what stands behind AUTH; what it does not know is passed over.</summary>
    /// <param name="problem">Why it is no request, for the log; it holds nothing of the line.</param>
    public static bool TryRead(AuthFields fields, out AuthRequest request, out string problem)
    {
        request = null!;
        problem = "AUTH without a number of 32 bits";
        if (!fields.TryTake(out var number) || !AuthLine.TryId(number, out var id))
            return false;
        problem = "AUTH without a mechanism";
        if (!fields.TryTake(out var name) || name.Length is 0 or > MaxName)
            return false;
        var mechanism = Encoding.ASCII.GetString(name).ToUpperInvariant();
        if (mechanism.AsSpan().ContainsAnyExcept(NameCharacters))
            return false;
        var read = new AuthRequest(id, mechanism, string.Empty);
        while (fields.TryTake(out var field))
        {
            var equals = field.IndexOf((byte)'=');
            read = read.With(equals < 0 ? field : field[..equals], equals < 0 ? default : field[(equals + 1)..]);
            // Whatever stands behind it may have come from the client.
            if (field.StartsWith("resp="u8))
                fields.End();
        }

        request = read;
        problem = "AUTH without a service";
        return read.Service.Length > 0;
    }

    private AuthRequest With(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(name) switch
    {
        "service" => this with { Service = Word(value, MaxService) ?? string.Empty },
        "secured" => this with { IsSecured = true },
        "tls_protocol" => this with { TlsVersion = Word(value, MaxTls) },
        "rip" => this with { Client = AddressOf(value) },
        "valid-client-cert" => this with { HasValidCertificate = true },
        "cert_username" => this with { CertificateUser = value.IsEmpty ? null : AuthLine.TextOf(value) },
        "final-resp-ok" => this with { TakesFinalData = true },
        "resp" => WithResponse(value),
        _ => this,
    };

    /// <summary>Nothing behind <c>resp=</c> is no response (Exim sends that); <c>=</c> is one without octets (RFC 4954 §4).</summary>
    private AuthRequest WithResponse(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return this;
        if (value is [(byte)'='])
            return this with { Response = [] };
        return StrictBase64.TryDecode(value, out var octets) ? this with { Response = octets } : this with { IsBroken = true };
    }

    private static string? Word(ReadOnlySpan<byte> value, int most)
    {
        var text = value.Length > most ? string.Empty : Encoding.UTF8.GetString(value);
        return text.Length == 0 || text.AsSpan().ContainsAnyExcept(WordCharacters) ? null : text;
    }

    private static IPAddress? AddressOf(ReadOnlySpan<byte> value) =>
        !IPAddress.TryParse(Encoding.UTF8.GetString(value), out var address) ? null
        : address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
