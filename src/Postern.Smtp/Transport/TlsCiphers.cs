namespace Postern.Smtp.Transport;

/// <summary>What a listener takes of the ciphers below TLS 1.3, whose own are always taken. Each takes all of the one before.</summary>
public enum TlsCiphers
{
    /// <summary>ECDHE with AES-GCM, and with AES-CBC under SHA-256 and SHA-384: forward secrecy, no SHA-1.</summary>
    Modern,

    /// <summary>For TLS 1.2 clients that cannot do that: also ChaCha20, ECDHE with AES-CBC under SHA-1, DHE, and RSA key exchange, which has no forward secrecy.</summary>
    Compatible,

    /// <summary>For devices that cannot do better: also 3DES where OpenSSL has it, short keys, and the signatures of TLS 1.0 and 1.1, which are then possible.</summary>
    Legacy,
}
