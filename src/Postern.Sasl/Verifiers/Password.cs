using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Verifiers;

/// <summary>A password that the client revealed. It prints as <c>***</c>, and is valid only while the check it was given to runs.</summary>
public sealed class Password
{
    internal Password(ReadOnlyMemory<byte> octets) => Octets = octets;

    /// <summary>UTF-8, as the client sent it; at least one octet.</summary>
    public ReadOnlyMemory<byte> Octets { get; }

    /// <summary>Compares in a time that does not depend on where the two differ.</summary>
    public bool Matches(string expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Octets.Span), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));

    /// <summary>The password as a string, for an API that takes nothing else. A string cannot be wiped: keep it out of logs.</summary>
    public string Reveal() => Encoding.UTF8.GetString(Octets.Span);

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
