using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Postern.Configuration;
using Postern.Configuration.Doubts;
using Postern.Hosting.Certificates;
using Postern.Hosting.Drop;
using Postern.Machine;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Runtime;

namespace Postern.Hosting.Live;

/// <summary>
/// The one way from a configuration to what a server runs by. <c>serve</c>, <c>check</c>, <c>reload</c> and every question about decisions
/// come here, so that what is checked and explained is what is served.
/// </summary>
internal static class Compilation
{
    private const int IdLetters = 8;

    /// <summary>
    /// Reads every file that the configuration names and every secret that it has in Vault, and lists everything that stands against it.
    /// </summary>
    /// <param name="vault">What has read those secrets before, and stays the caller's; null for nobody.</param>
    /// <param name="note">Takes a line for people, where something has to be waited for.</param>
    public static async Task<CompileOutcome> ReadAsync(
        PosternConfiguration configuration,
        CompileFor purpose,
        TimeProvider clock,
        SecretsInVault? vault = null,
        Action<string>? note = null)
    {
        var errors = ImmutableArray.CreateBuilder<(ConfigurationError Error, string Todo)>();
        var warnings = ImmutableArray.CreateBuilder<ConfigurationError>();
        if (configuration.InVault.Count == 0)
            return await ReadAsync(configuration, purpose, clock, errors, warnings);
        using var own = vault is null ? new SecretsInVault(clock) : null;
        var patience = vault is null && purpose == CompileFor.Serving ? SecretsInVault.Patience : TimeSpan.Zero;
        var reading = await (vault ?? own)!.ReadAsync(configuration, patience, note, CancellationToken.None);
        if (Judge(configuration, reading, purpose, errors, warnings) is not { } whole)
            return Broken(errors);
        return await ReadAsync(whole, purpose, clock, errors, warnings) is CompileOutcome.Ready(var compiled)
            ? new CompileOutcome.Ready(compiled with { Vaulted = reading.Values })
            : Broken(errors);
    }

    /// <summary>The configuration with the secrets that were read; null where there are errors now.</summary>
    private static PosternConfiguration? Judge(
        PosternConfiguration configuration,
        SecretsInVault.Reading reading,
        CompileFor purpose,
        ImmutableArray<(ConfigurationError Error, string Todo)>.Builder errors,
        ImmutableArray<ConfigurationError>.Builder warnings)
    {
        foreach (var (key, reference) in configuration.InVault)
        {
            foreach (var (_, why) in reading.Old.Where(old => old.Reference == reference))
                warnings.Add(configuration.ErrorAt(key, $"{reference} cannot be read now, and stays what it was: {why}"));
            foreach (var (_, why, isOutage) in reading.Missing.Where(missing => missing.Reference == reference))
            {
                // Whoever checks a file need not reach what the server reaches.
                if (isOutage && purpose == CompileFor.Checking)
                    warnings.Add(configuration.ErrorAt(key, $"{reference} cannot be read, and no server starts without it: {why}"));
                else
                    errors.Add((
                        configuration.ErrorAt(key, $"{reference} cannot be read: {why}"),
                        isOutage ? "Try again when Vault answers." : "Put it there, or write another path and key."));
            }
        }

        if (errors.Count > 0)
            return null;
        switch (ConfigurationFile.WithSecrets(configuration, reading.Values))
        {
            case ConfigurationOutcome.Valid(var whole):
                return whole;
            case ConfigurationOutcome.Invalid(var mistakes):
                errors.AddRange(mistakes.Select(static mistake => (mistake, "Put another secret there, or write another path and key.")));
                return null;
            default:
                throw new InvalidOperationException("a new outcome");
        }
    }

    private static async Task<CompileOutcome> ReadAsync(
        PosternConfiguration configuration,
        CompileFor purpose,
        TimeProvider clock,
        ImmutableArray<(ConfigurationError Error, string Todo)>.Builder errors,
        ImmutableArray<ConfigurationError>.Builder warnings)
    {
        var now = clock.GetUtcNow();
        ImmutableArray<CertificateOutcome.Loaded> certificates = [];
        var (isMade, isWidened) = (false, false);
        var certificateDigest = CertificateWatch.DigestOf(configuration);
        if (ServerCertificates.IsNeeded(configuration) || (purpose == CompileFor.Checking && configuration.Tls.Files.Any()))
        {
            certificates = purpose switch
            {
                CompileFor.Asking => [StandIn(configuration, now)],
                _ => ReadCertificates(configuration, purpose, now, errors, out isMade),
            };
            isWidened = purpose != CompileFor.Asking && await ProtocolFloor.IsWidenedAsync();
            if (purpose != CompileFor.Asking && errors.Count == 0)
                await DoubtCertificatesAsync(configuration, certificates, warnings);
        }

        var unusable = LoginSources.Load(configuration, now, out var logins, out var doubts);
        foreach (var (key, found) in unusable)
            errors.Add((configuration.ErrorAt(key, found.What), found.Todo));
        errors.AddRange(TrustedNetworks.Problems(configuration)
            .Select(static problem => (problem, "Mend the file, or take it out: nobody knows who is trusted without it.")));
        var aliases = AliasSources.Load(configuration, purpose, errors, warnings);
        warnings.AddRange(configuration.Doubts.Concat(doubts).Select(doubt => configuration.ErrorAt(doubt.Key, doubt.Text)));
        if (purpose != CompileFor.Asking)
            Doubt(configuration, purpose, warnings);
        if (errors.Count > 0 || logins is null)
        {
            logins?.Dispose();
            return Broken(errors);
        }

        return new CompileOutcome.Ready(new Compiled(
            configuration,
            certificates.IsEmpty ? null : certificates.ToTls(configuration),
            certificates,
            logins,
            isWidened,
            warnings.ToImmutable())
        {
            HasMadeCertificate = isMade,
            CertificateDigest = certificateDigest,
            Aliases = aliases.Table,
            Files = aliases.AllFiles(configuration),
            FilesDigest = string.Join(',', aliases.AllFiles(configuration).Select(aliases.DigestOf)),
            Digests = configuration.Files.ToFrozenDictionary(
                static file => file.Key, file => aliases.DigestOf(file.Key, file.Value), StringComparer.Ordinal),
        });
    }

    private static CompileOutcome.Broken Broken(ImmutableArray<(ConfigurationError Error, string Todo)>.Builder errors) => new(
        [.. errors.Select(static e => e.Error).OrderBy(static e => e.Line).ThenBy(static e => e.Column)],
        errors.Count > 0 ? errors[0].Todo : string.Empty);

    /// <summary>
    /// A short hash of what the configuration means: equal for files that say the same in other words, another one for another secret. The
    /// key is the directory's own, so that nobody can try passwords against it.
    /// </summary>
    public static string IdOf(Compiled compiled, ReadOnlySpan<byte> key)
    {
        var text = new StringBuilder();
        foreach (var setting in compiled.Configuration.Settings)
            text.Append(setting.Path).Append('=').Append(setting.Meaning).Append('\n');
        foreach (var path in compiled.Digests.Keys.Order(StringComparer.Ordinal))
            text.Append(path).Append(':').Append(compiled.Digests[path]).Append('\n');
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text.ToString()), whole);
        return Convert.ToHexStringLower(whole)[..IdLetters];
    }

    private static CertificateOutcome.Loaded StandIn(PosternConfiguration configuration, DateTimeOffset now) =>
        new(OwnCertificate.Make(configuration.Server.Hostname.Text, now), [], []);

    private static ImmutableArray<CertificateOutcome.Loaded> ReadCertificates(
        PosternConfiguration configuration,
        CompileFor purpose,
        DateTimeOffset now,
        ImmutableArray<(ConfigurationError, string)>.Builder errors,
        out bool isMade)
    {
        var loaded = ImmutableArray.CreateBuilder<CertificateOutcome.Loaded>();
        isMade = false;
        foreach (var outcome in purpose == CompileFor.Serving
            ? ServerCertificates.All(configuration, now, out isMade)
            : ServerCertificates.Configured(configuration, now))
        {
            if (outcome is CertificateOutcome.Unusable(var key, var problem))
                errors.Add((configuration.ErrorAt(key, problem.What), problem.Todo));
            else
                loaded.Add((CertificateOutcome.Loaded)outcome);
        }

        if (purpose == CompileFor.Checking && configuration.Tls.CertificateFile is null)
            loaded.Insert(0, StandIn(configuration, now));
        return loaded.ToImmutable();
    }

    private static async Task DoubtCertificatesAsync(
        PosternConfiguration configuration,
        ImmutableArray<CertificateOutcome.Loaded> certificates,
        ImmutableArray<ConfigurationError>.Builder warnings)
    {
        foreach (var one in certificates)
        {
            warnings.AddRange(one.Warnings.Select(doubt => configuration.ErrorAt(one.Key, doubt)));
            if (configuration.Tls.Files.Any() && await CertificateTrial.WhyNotShownAsync(one.Certificate, one.Chain) is { } unseen)
                warnings.Add(configuration.ErrorAt(one.Key, unseen));
        }

        if (!certificates.IsEmpty)
            warnings.AddRange(await ProtocolFloor.WarnAsync(configuration, certificates[0].Certificate));
    }

    /// <summary>Domains that are to sign and have no key that does.</summary>
    private static IEnumerable<ConfigurationError> DoubtKeys(PosternConfiguration configuration)
    {
        if ((configuration.Dkim is { Required.IsEmpty: true, Fallback.IsEmpty: true } && configuration.Delivery.Arc.Domain is null)
            || DirectoryQueries.DomainsThatSign(RelayOptions.DirectoryFile(configuration.Server.Data)) is not { } signing)
            yield break;
        for (var i = 0; i < configuration.Dkim.Required.Length; i++)
        {
            var domain = configuration.Dkim.Required[i].Text;
            if (!signing.Any(key => domain == key || domain.EndsWith($".{key}", StringComparison.Ordinal)))
                yield return configuration.ErrorAt(
                    $"dkim.required[{i}]", $"{domain} has no active key, so its mail waits: postern dkim create {domain}, then activate");
        }

        for (var i = 0; i < configuration.Dkim.Fallback.Length; i++)
        {
            if (configuration.Dkim.Fallback[i].Domain is { Text: var domain } && !signing.Contains(domain))
                yield return configuration.ErrorAt(
                    $"dkim.fallback[{i}].domain",
                    $"{domain} has no active key, so nothing is signed by it: postern dkim create {domain}, then activate");
        }

        if (configuration.Delivery.Arc is { Seals: true, Domain.Text: var sealing }
            && !signing.Any(key => sealing == key || sealing.EndsWith($".{key}", StringComparison.Ordinal)))
            yield return configuration.ErrorAt(
                "delivery.arc.domain",
                $"{sealing} has no active key, so nothing is sealed by it: postern dkim create {sealing}, then activate");
    }

    /// <summary>What can be used and should be known all the same.</summary>
    private static void Doubt(PosternConfiguration configuration, CompileFor purpose, ImmutableArray<ConfigurationError>.Builder warnings)
    {
        foreach (var (key, file) in configuration.SecretFiles)
        {
            if (OpenFile.Warning("the secret in", file) is { } exposed)
                warnings.Add(configuration.ErrorAt(key, exposed));
        }

        var sources = configuration.ToAccounts().Sources;
        for (var i = 0; i < sources.Length; i++)
        {
            if (sources[i].Realm != configuration.Realm)
                warnings.Add(
                    configuration.ErrorAt(
                        $"accounts[{i}].realm",
                        $"a second realm beside '{configuration.Realm}': most clients take the first that is offered, "
                            + $"and their users cannot log in by DIGEST-MD5 in this one"));
            warnings.AddRange(
                AccountStores.Of(sources[i])!.Warn(sources[i]).Select(doubt => configuration.ErrorAt($"accounts[{i}].uri", doubt)));
        }

        for (var i = 0; i < configuration.OAuth.Length; i++)
        {
            if (configuration.OAuth[i].KeySet is { IsFile: true } keys && !File.Exists(keys.LocalPath))
                warnings.Add(
                    configuration.ErrorAt(
                        $"oauth[{i}].jwks", $"{keys.LocalPath} does not exist: tokens of this issuer are answered 454 until it does"));
        }

        if (configuration.Delivery.Tls.Tls.UsesDane && configuration.ToDelivery().WhyNothingIsProven() is { } unproven)
            warnings.Add(configuration.ErrorAt("delivery.tls", unproven));

        if (configuration.Sendmail.Drop is { } drop && new DropDirectory(drop).Doubt() is { } undroppable)
            warnings.Add(configuration.ErrorAt("sendmail.drop", undroppable));
        warnings.AddRange(TrustedNetworks.Doubts(configuration, SharedAddress.All()));
        if (purpose == CompileFor.Checking)
            warnings.AddRange(DoubtKeys(configuration));

        // A server says it when it has started.
        if (configuration.Delivery.Routes.IsEmpty && purpose == CompileFor.Checking)
            warnings.Add(configuration.ErrorAt("delivery.routes", "there is no route: messages are accepted and held until there is one"));
    }
}

/// <summary>What a configuration is compiled for.</summary>
internal enum CompileFor
{
    /// <summary>A server will run by it: what is missing and can be made, such as a certificate, is made.</summary>
    Serving,

    /// <summary>Nothing is changed, and everything doubtful is looked for.</summary>
    Checking,

    /// <summary>One decision is asked for. No certificate is read: a stand-in says that there would be TLS.</summary>
    Asking,
}

/// <summary>What compiling a configuration came to.</summary>
internal abstract record CompileOutcome
{
    private CompileOutcome()
    {
    }

    public sealed record Ready(Compiled Compiled) : CompileOutcome;

    /// <param name="Errors">All of them, at their places in the file; at least one.</param>
    /// <param name="Todo">What to do about the first.</param>
    public sealed record Broken(ImmutableArray<ConfigurationError> Errors, string Todo) : CompileOutcome;
}
