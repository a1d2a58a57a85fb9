using System.Security.Cryptography;

namespace Postern.Sasl.Scram;

/// <summary>The arithmetic of RFC 5802 §3.</summary>
internal static class ScramFunctions
{
    /// <summary>The largest hash: SHA-512.</summary>
    public const int MaxSize = 64;

    public static int SizeOf(HashAlgorithmName algorithm) => algorithm.Name switch
    {
        "SHA1" => SHA1.HashSizeInBytes,
        "SHA256" => SHA256.HashSizeInBytes,
        "SHA512" => SHA512.HashSizeInBytes,
        _ => throw new ArgumentException($"SCRAM knows no hash '{algorithm.Name}'", nameof(algorithm)),
    };

    public static bool ProofMatches(
        HashAlgorithmName algorithm, ReadOnlySpan<byte> storedKey, ReadOnlySpan<byte> authMessage, ReadOnlySpan<byte> proof)
    {
        var size = SizeOf(algorithm);
        if (proof.Length != size)
            return false;
        Span<byte> clientKey = stackalloc byte[MaxSize];
        CryptographicOperations.HmacData(algorithm, storedKey, authMessage, clientKey);
        for (var i = 0; i < size; i++)
            clientKey[i] ^= proof[i];
        Span<byte> candidate = stackalloc byte[MaxSize];
        CryptographicOperations.HashData(algorithm, clientKey[..size], candidate);
        CryptographicOperations.ZeroMemory(clientKey);
        return CryptographicOperations.FixedTimeEquals(candidate[..size], storedKey);
    }

    public static byte[] Proof(HashAlgorithmName algorithm, ReadOnlySpan<byte> salted, ReadOnlySpan<byte> authMessage)
    {
        var clientKey = CryptographicOperations.HmacData(algorithm, salted, "Client Key"u8);
        var signature = CryptographicOperations.HmacData(algorithm, CryptographicOperations.HashData(algorithm, clientKey), authMessage);
        for (var i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= signature[i];
        return clientKey;
    }
}
