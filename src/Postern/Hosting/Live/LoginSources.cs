using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Hosting.Certificates;
using Postern.Hosting.Data;
using Postern.Machine;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Sasl.Kerberos;

namespace Postern.Hosting.Live;

/// <summary>
/// What logins rest on beside the accounts: authorities of client certificates, and Kerberos keys. Loaded from the files that the
/// configuration names.
/// </summary>
internal sealed record LoginSources(CertificateRules? Certificates, KerberosRules? Kerberos) : IDisposable
{
    /// <summary>
    /// Everything that cannot be used, by the key that names it; null with <paramref name="sources"/>, which the caller disposes.
    /// </summary>
    /// <param name="warnings">By the key that they are about.</param>
    public static ImmutableArray<(string Key, Problem Problem)> Load(
        PosternConfiguration configuration,
        DateTimeOffset now,
        out LoginSources? sources,
        out ImmutableArray<(string Key, string Text)> warnings)
    {
        (sources, warnings) = (null, []);
        var problems = ImmutableArray.CreateBuilder<(string, Problem)>();
        CertificateAuthorities? authorities = null;
        if (configuration.External?.AuthorityFile is { } file)
        {
            if (ClientAuthorityFile.Load(file, now, out authorities, out var warning) is { } unusable)
                problems.Add(("external.authority", unusable));
            if (warning is not null)
                warnings = [("external.authority", warning)];
        }

        var certificates = configuration.External is { } external
            ? new CertificateRules(
                authorities,
                external.User,
                external.Certificates.ToFrozenDictionary(static c => c.Fingerprint, static c => c.Account, StringComparer.Ordinal))
            : null;

        KerberosRules? kerberos = null;
        if (configuration.Kerberos is { KeytabFile: var keytab } options)
        {
            if (KerberosService.TryOpen(
                keytab, options.Service, DataDirectory.ReplayCache(configuration.Server.Data), out var service, out var problem))
                kerberos = new KerberosRules(service, options.Realms, options.Account);
            else
                problems.Add(
                    ("kerberos.keytab", new Problem(
                        problem,
                        $"Export the keys of {options.Service}/HOST into it (kadmin: ktadd -k {keytab} {options.Service}/HOST), "
                            + $"readable for {UserIdentity.Current} alone.")));
        }

        sources = new LoginSources(certificates, kerberos);
        if (problems.Count == 0)
            return [];
        sources.Dispose();
        sources = null;
        return problems.ToImmutable();
    }

    public void Dispose() => Kerberos?.Service.Dispose();
}
