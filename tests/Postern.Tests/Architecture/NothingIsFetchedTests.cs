using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>A certificate names addresses to fetch its issuers and revocations from. No chain that is built here fetches anything, and HTTP has one door.</summary>
public sealed partial class NothingIsFetchedTests
{
    private static IEnumerable<(string File, string Text)> Sources() => Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
        .Where(static f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Select(static f => (f, File.ReadAllText(f)));

    [Fact]
    public void Every_chain_policy_of_ours_forbids_downloads_and_revocation()
    {
        var wrong = from source in Sources()
                    let chains = Math.Max(Chain().Count(source.Text), source.Text.Split("new X509Chain()").Length - 1)
                    where chains > DownloadsOff().Count(source.Text) || chains > source.Text.Split("X509RevocationMode.NoCheck").Length - 1
                    select source.File;

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_client_handshake_has_a_chain_policy() => Assert.Empty(
        from source in Sources()
        where source.Text.Split("new SslClientAuthenticationOptions").Length > source.Text.Split("CertificateChainPolicy =").Length
        select source.File);

    [Fact]
    public void Our_own_certificate_is_made_ready_offline() => Assert.Empty(
        from source in Sources()
        where Create().Count(source.Text) > source.Text.Split("offline: true").Length - 1 || source.Text.Contains("ServerCertificate =", StringComparison.Ordinal)
            || source.Text.Contains(".AuthenticateAsServer(", StringComparison.Ordinal) || Verify().IsMatch(source.Text)
        select source.File);

    [Fact]
    public void Http_goes_by_the_guarded_connector_or_the_control_socket() => Assert.Equal(
        ["ControlClient.cs", "GuardedFetch.cs"],
        Sources().Where(static s => Http().IsMatch(s.Text)).Select(static s => Path.GetFileName(s.File)).Order(StringComparer.Ordinal));

    [GeneratedRegex(@"new X509ChainPolicy\b|X509ChainPolicy \w+\(\) => new\(\)", RegexOptions.NonBacktracking)]
    private static partial Regex Chain();

    [GeneratedRegex("DisableCertificateDownloads = true", RegexOptions.NonBacktracking)]
    private static partial Regex DownloadsOff();

    [GeneratedRegex(@"SslStreamCertificateContext\.Create\(", RegexOptions.NonBacktracking)]
    private static partial Regex Create();

    [GeneratedRegex(@"\b[cC]ertificate\.Verify\(\)", RegexOptions.NonBacktracking)]
    private static partial Regex Verify();

    [GeneratedRegex(@"new HttpClient\b|new SocketsHttpHandler|new HttpClientHandler|new WebClient|WebRequest\.Create", RegexOptions.NonBacktracking)]
    private static partial Regex Http();
}
