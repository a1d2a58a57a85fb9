namespace Postern.Relay.Accounts.Hashes;

/// <summary>What can be done with a stored secret. What is on offer to clients follows from these.</summary>
[Flags]
public enum StoredForms
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A password that a client reveals can be checked against it (PLAIN, LOGIN).</summary>
    Password = 1,

    /// <summary>SCRAM-SHA-1.</summary>
    ScramSha1 = 2,

    /// <summary>SCRAM-SHA-256.</summary>
    ScramSha256 = 4,

    /// <summary>SCRAM-SHA-512.</summary>
    ScramSha512 = 8,

    /// <summary>DIGEST-MD5, in one realm.</summary>
    Digest = 16,

    /// <summary>CRAM-MD5, which computes with the password itself.</summary>
    Shared = 32,

    /// <summary>All of these.</summary>
    All = Password | ScramSha1 | ScramSha256 | ScramSha512 | Digest | Shared,
}
