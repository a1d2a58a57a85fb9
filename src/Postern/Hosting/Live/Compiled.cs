using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Hosting.Certificates;
using Postern.Machine;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Runtime;
using Postern.Sasl;
using ServerTls = Postern.Smtp.Transport.TlsOptions;

namespace Postern.Hosting.Live;

/// <summary>
/// A configuration with everything that it names on this machine: certificates, authorities, keys. Whoever holds it disposes it.
/// </summary>
/// <param name="Tls">Null where no listener speaks TLS.</param>
/// <param name="Certificates">What <paramref name="Tls"/> is made of; the one for clients that ask for no name comes first.</param>
/// <param name="Logins">What logins rest on beside the accounts.</param>
/// <param name="IsWidened">This machine's OpenSSL takes more than modern ciphers where a listener does not say what it takes.</param>
/// <param name="Warnings">What is allowed and should be known, at its place.</param>
internal sealed record Compiled(
    PosternConfiguration Configuration,
    ServerTls? Tls,
    ImmutableArray<CertificateOutcome.Loaded> Certificates,
    LoginSources Logins,
    bool IsWidened,
    ImmutableArray<ConfigurationError> Warnings) : IDisposable
{
    /// <summary>Which addresses stand for others.</summary>
    public AliasTable Aliases { get; init; } = AliasTable.Empty;

    /// <summary>Every file whose content counts: those that the configuration names, and those that they include.</summary>
    public required ImmutableArray<string> Files { get; init; }

    /// <summary>What stood in them when they were read, as <see cref="FileDigest.Of(IEnumerable{string})"/> has it.</summary>
    public required string FilesDigest { get; init; }

    /// <summary>What stood in each file that counts as part of the configuration, by key.</summary>
    public required IReadOnlyDictionary<string, string> Digests { get; init; }

    /// <summary>What stood in the certificates' files before they were read.</summary>
    public required string CertificateDigest { get; init; }

    /// <summary>What the secrets came to that are in Vault.</summary>
    public ImmutableDictionary<VaultReference, Secret> Vaulted { get; init; } = ImmutableDictionary<VaultReference, Secret>.Empty;

    /// <summary>A self-signed certificate was made now.</summary>
    public bool HasMadeCertificate { get; init; }

    /// <param name="logCopy">Takes every line of the log as well; null for the files only.</param>
    public RelayOptions ToRelay(Stream? logCopy = null)
    {
        var options = Configuration.ToRelay(
            Tls, Configuration.ToAccounts() with { Certificates = Logins.Certificates, Kerberos = Logins.Kerberos }, logCopy, IsWidened);
        return options with { Delivery = options.Delivery with { Aliases = Aliases.With(options.Delivery.Srs) } };
    }

    public void Dispose() => Logins.Dispose();
}
