using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Client;

/// <summary>
/// Decides whether a server's certificate is the one that was meant, in the place of the platform: by what its domain publishes (RFC 7672),
/// or by names of its own.
/// </summary>
public interface IServerProof
{
    /// <summary>Why the certificate does not prove the server; null where it does. Must not throw.</summary>
    /// <param name="shown">Null where the server shows none.</param>
    /// <param name="chain">
    /// As the platform made it, from <see cref="SmtpClientOptions.TrustedRoots"/> or its own roots; its policy's extra store has what else
    /// the server sent.
    /// </param>
    /// <param name="errors">What the platform has against it, for <see cref="SmtpClientOptions.ServerName"/>.</param>
    ServerDistrust? WhyNot(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors);

    /// <summary>
    /// Equal proofs answer alike about the same certificates for some minutes, so that <see cref="TlsMemory"/> may keep what they answer;
    /// with <see cref="object.Equals(object)"/> by what they rest on.
    /// </summary>
    bool AreAnswersKept => false;
}

/// <summary>Why a server's certificate does not prove the server.</summary>
/// <param name="Words">For people; what the server wrote into its certificate stands there in visible ASCII only, and cut.</param>
public sealed record ServerDistrust(CertificateFault Fault, string Words);

/// <summary>What is wrong with a certificate, in the order in which it is looked for.</summary>
public enum CertificateFault
{
    /// <summary>The server shows none.</summary>
    Missing,

    /// <summary>It is for other names.</summary>
    WrongName,

    /// <summary>It, or an issuer of it, is not valid yet or not any more.</summary>
    WrongDate,

    /// <summary>It is not for servers.</summary>
    WrongUsage,

    /// <summary>Nobody who is trusted has issued it.</summary>
    UnknownIssuer,

    /// <summary>It is none of those that the server's domain lists (RFC 7672).</summary>
    NotListed,

    /// <summary>Anything else.</summary>
    Other,
}
