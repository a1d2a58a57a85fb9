using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Client;

/// <summary>
/// What connections of a client share so that a handshake costs less: whether certificates, these very octets, lead to these very roots,
/// or pass this very proof, for some minutes and never past the date of one of them; and own certificates, ready to be shown. The name is
/// looked at each time. May be used by any number of connections at a time.
/// </summary>
public sealed class TlsMemory(TimeProvider clock)
{
    /// <summary>So many verdicts are kept at least, once there have been as many; twice as many at most.</summary>
    private const int Generation = 4_096;

    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(5);

    /// <summary>Whoever mends a certificate, or the roots of this machine, sees it soon.</summary>
    private static readonly TimeSpan DistrustKeptFor = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly ConditionalWeakTable<X509Certificate2Collection, string> roots = [];
    private readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> own = [];
    private Dictionary<Key, Verdict> young = [];
    private Dictionary<Key, Verdict> old = [];
    private int judged;

    /// <summary>How often certificates were looked at, and not what was known of them.</summary>
    internal int Judged => Volatile.Read(ref judged);

    /// <summary>Why a certificate does not prove the server; null where it does.</summary>
    /// <param name="sent">What else the server sent.</param>
    /// <param name="errors">What the platform has against its name; that there is a chain is judged here.</param>
    internal ServerDistrust? WhyNot(
        X509Certificate2 shown, X509Certificate2Collection sent, SslPolicyErrors errors, SmtpClientOptions options)
    {
        errors &= ~SslPolicyErrors.RemoteCertificateChainErrors;
        // A proof answers for these errors and this name; without one the name is looked at each time, and the chain serves all names.
        var key = new Key(
            DigestOf(shown, sent),
            RootsOf(options.TrustedRoots),
            options.Proof,
            options.Proof is null ? null : options.ServerName,
            options.Proof is null ? SslPolicyErrors.None : errors);
        if (!TryFind(key, out var verdict))
            Keep(key, verdict = Judge(shown, sent, errors, options));

        return options.Proof is not null ? verdict.Why : ServerTrust.WhyNot(
            shown,
            verdict.Chain,
            verdict.IsBuilt ? errors : errors | SslPolicyErrors.RemoteCertificateChainErrors,
            options.ServerName,
            options.TrustedRoots);
    }

    private bool TryFind(in Key key, out Verdict verdict)
    {
        lock (gate)
            return (young.TryGetValue(key, out verdict) || old.TryGetValue(key, out verdict)) && clock.GetTimestamp() < verdict.Until;
    }

    private void Keep(in Key key, in Verdict verdict)
    {
        lock (gate)
        {
            young[key] = verdict;
            if (young.Count >= Generation)
                (old, young) = (young, []);
        }
    }

    /// <summary>Its issuers are not looked up: whoever asks for it knows them.</summary>
    internal SslStreamCertificateContext ContextOf(X509Certificate2 certificate) =>
        own.GetValue(certificate, static c => SslStreamCertificateContext.Create(c, additionalCertificates: null, offline: true));

    private Verdict Judge(X509Certificate2 shown, X509Certificate2Collection sent, SslPolicyErrors errors, SmtpClientOptions options)
    {
        Interlocked.Increment(ref judged);
        using var chain = new X509Chain { ChainPolicy = ServerTrust.PolicyFor(options.TrustedRoots) };
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        var isBuilt = chain.Build(shown);
        try
        {
            var why = options.Proof?.WhyNot(shown, chain, isBuilt ? errors : errors | SslPolicyErrors.RemoteCertificateChainErrors);
            var isGood = options.Proof is null ? isBuilt : why is null;
            var all = sent.Concat(chain.ChainElements.Select(static e => e.Certificate)).Append(shown);
            return new Verdict(
                why, isBuilt, ServerTrust.StatusOf(chain), clock.GetTimestamp() + Ticks(isGood ? KeptFor : DistrustKeptFor, all));
        }
        finally
        {
            foreach (var element in chain.ChainElements)
                element.Certificate.Dispose();
        }
    }

    /// <summary>Not beyond the time at which one of the certificates begins or ends.</summary>
    private long Ticks(TimeSpan kept, IEnumerable<X509Certificate2> certificates)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        foreach (var certificate in certificates)
        {
            foreach (var date in (ReadOnlySpan<DateTime>)[certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime()])
            {
                if (date >= now && date - now < kept)
                    kept = date - now;
            }
        }

        return (long)(kept.TotalSeconds * clock.TimestampFrequency);
    }

    private string RootsOf(X509Certificate2Collection? trusted) => trusted is null
        ? string.Empty
        : roots.GetValue(trusted, static all =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var one in all)
                Append(hash, one);
            return Convert.ToHexString(hash.GetHashAndReset());
        });

    private static Digest DigestOf(X509Certificate2 shown, X509Certificate2Collection sent)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, shown);
        foreach (var one in sent)
            Append(hash, one);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return MemoryMarshal.Read<Digest>(digest);
    }

    private static void Append(IncrementalHash hash, X509Certificate2 certificate)
    {
        var octets = certificate.RawDataMemory.Span;
        var length = octets.Length;
        hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        hash.AppendData(octets);
    }

    private readonly record struct Digest(long A, long B, long C, long D);

    /// <summary>Certificates, and the terms on which they were looked at.</summary>
    private readonly record struct Key(Digest Shown, string Roots, IServerProof? Proof, string? Name, SslPolicyErrors Errors);

    /// <param name="Why">What the proof has against them; null where it has nothing, or there is none.</param>
    /// <param name="IsBuilt">They lead to a root.</param>
    /// <param name="Chain">Why they do not.</param>
    /// <param name="Until">A timestamp of the clock.</param>
    private readonly record struct Verdict(ServerDistrust? Why, bool IsBuilt, X509ChainStatusFlags Chain, long Until);
}
