namespace Postern.Relay.Dkim;

/// <summary>How a key signs; every one over SHA-256 (RFC 8301 §3.1).</summary>
public enum DkimAlgorithm
{
    /// <summary>RSASSA-PKCS1-v1_5 (RFC 6376 §3.3.2).</summary>
    Rsa,

    /// <summary>RFC 8463 §3.</summary>
    Ed25519,
}

/// <summary>The algorithms in the words of commands, key records and signatures.</summary>
public static class DkimAlgorithms
{
    /// <summary>As <c>--algorithm</c> and the tag <c>k=</c> of a key record have it.</summary>
    public static string Word(this DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.Rsa ? "rsa" : "ed25519";

    /// <summary>As the tag <c>a=</c> of a signature has it.</summary>
    public static string SignatureWord(this DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.Rsa ? "rsa-sha256" : "ed25519-sha256";

    /// <summary>Reads <see cref="Word"/>; null for any other.</summary>
    public static DkimAlgorithm? Find(string word) => word switch
    {
        "rsa" => DkimAlgorithm.Rsa,
        "ed25519" => DkimAlgorithm.Ed25519,
        _ => null,
    };
}
