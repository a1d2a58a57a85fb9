using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Sasl.Verifiers;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>Real sessions on every sensible kind of listener, beside what <c>explain</c> and <c>auth test</c> say of them.</summary>
public sealed partial class ExplainedIsServedTests : IDisposable
{
    private const string User = "lisa@example.org";
    private const string Password = "correct horse";
    private const string FileUser = "homer@example.org";
    private const string FilePassword = "doughnut";

    private readonly TestAuthority authority = TestAuthority.Create("devices");

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData("[directory]", true)]
    [InlineData("[{ uri: 'file://@ROOT@/passwd' }]", true)]
    [InlineData("[{ uri: 'file://@ROOT@/passwd' }, directory]", false)]
    [InlineData("[directory, { uri: 'file://@ROOT@/passwd' }]", true, "", "accounts: [directory]", "accounts: ['file://@ROOT@/passwd']")]
    public async Task What_is_explained_is_what_a_session_sees(string accounts, bool hasExternal, params string[] asked)
    {
        using var certificate = authority.IssueClient("CN=scanner");
        var listeners = Listeners(hasExternal).Select((l, i) => asked.Length == 0 || asked[i % asked.Length].Length == 0 ? l : (l.Name, Keys: $"{l.Keys}, {asked[i % asked.Length]}")).ToList();
        var text = new StringBuilder("server: { hostname: mail.example.org, data: data }\nlisteners:\n");
        foreach (var (name, keys) in listeners)
            text.Append(CultureInfo.InvariantCulture, $"  - {{ name: {name}, listen: ['127.0.0.1:0'], {keys} }}\n");
        text.Append("accounts: ").Append(accounts).Append("\ndomains: [accepted.example]\nlimits: { connections_per_address: 1000 }\nlogin_protection: { enabled: false }\n");
        if (hasExternal)
            text.Append(CultureInfo.InvariantCulture, $"external: {{ certificates: [{{ fingerprint: '{certificate.GetCertHashString(HashAlgorithmName.SHA256)}', account: {User} }}] }}\n");
        using var run = new CommandRun(text.ToString());
        await File.WriteAllTextAsync(run.ConfigFile, text.Replace("@ROOT@", run.Root).ToString(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(run.Root, "passwd"), accounts.StartsWith("[directory", StringComparison.Ordinal) ? $"{FileUser}:{FilePassword}\n" : $"{User}:{Password}\n{FileUser}:{FilePassword}\n", TestContext.Current.CancellationToken);
        if (accounts.Contains("directory", StringComparison.Ordinal))
        {
            await run.PosternAsync("account", "add", User);
            await run.WithInputAsync(Password, "credential", "add", User, "--password-stdin");
        }

        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(run.ConfigFile)).Configuration;
        Assert.Null(DataDirectory.Prepare(configuration.Server.Data));
        var compiled = await CompileAsync(configuration, CompileFor.Serving);
        await using var host = await ServerHost.StartAsync(compiled, run.ConfigFile, events: null, static _ => { }, TimeProvider.System, TestContext.Current.CancellationToken);
        using var rehearsal = Rehearsal.Open(await CompileAsync(configuration, CompileFor.Asking), TimeProvider.System);
        Assert.Equal(host.Relay.Snapshot.Id, rehearsal.Snapshot.Id);
        await CompareCheckAsync(run, rehearsal.Snapshot);
        var compared = 0;
        foreach (var (listener, endpoint) in host.Relay.Endpoints)
        {
            foreach (var (isTls, shows) in Clients(listener.Tls))
            {
                await CompareAsync(rehearsal.Snapshot, listener, endpoint, isTls, shows ? certificate : null);
                compared++;
            }
        }

        Assert.True(compared > listeners.Count, $"{compared} of {listeners.Count} listeners");
    }

    /// <summary>Every combination that a configuration can hold.</summary>
    private static IEnumerable<(string Name, string Keys)> Listeners(bool hasExternal)
    {
        var number = 0;
        foreach (var tls in (string[])["none", "starttls", "required", "implicit"])
        {
            foreach (var auth in (string[])["off", "tls-only", "always"])
            {
                foreach (var mechanisms in (string[])["", "mechanisms: [LOGIN, PLAIN]", "mechanisms: [EXTERNAL]", "without_mechanisms: [PLAIN]", "mechanisms_under_tls: [PLAIN, LOGIN]"])
                {
                    var asks = mechanisms.Contains("EXTERNAL", StringComparison.Ordinal);
                    if ((tls == "none" && auth == "tls-only") || (auth == "off" && mechanisms.StartsWith("mechanisms:", StringComparison.Ordinal))
                        || (auth != "always" && mechanisms.StartsWith("mechanisms_under", StringComparison.Ordinal)) || (asks && (tls == "none" || !hasExternal)))
                        continue;
                    foreach (var request in tls == "none" || !hasExternal ? [""] : asks ? ["request"] : (string[])["none", "request"])
                    {
                        var keys = string.Join(", ", ((string[])[$"tls: {tls}", $"auth: {auth}", mechanisms, request.Length == 0 ? "" : $"client_certificates: {request}"]).Where(static k => k.Length > 0));
                        yield return (string.Create(CultureInfo.InvariantCulture, $"l{number++}"), keys);
                    }
                }
            }
        }
    }

    /// <summary>What <c>check</c> says of each listener is what is offered to the client that is offered most.</summary>
    private static async Task CompareCheckAsync(CommandRun run, RelaySnapshot snapshot)
    {
        var check = (await run.PosternAsync("check")).Output.Split('\n');
        foreach (var listener in snapshot.Options.Listeners)
        {
            var isTls = listener.Tls != TlsMode.None;
            var offer = snapshot.OfferOn(listener.Name, isTls, listener.AsksForClientCertificate, isTls)!;
            var line = Assert.Single(check, text => text.StartsWith($"listener {listener.Name} ", StringComparison.Ordinal));
            Assert.EndsWith(offer.OffersAuth ? $": {string.Join(' ', offer.Mechanisms)}" : $", auth {ListenerText.Word(listener.Auth)}", line.TrimEnd(), StringComparison.Ordinal);
        }
    }

    /// <summary>Encrypted or not, with a certificate or without.</summary>
    private static IEnumerable<(bool IsTls, bool ShowsCertificate)> Clients(TlsMode tls) => tls switch
    {
        TlsMode.None => [(false, false)],
        TlsMode.Implicit => [(true, false), (true, true)],
        _ => [(false, false), (true, false), (true, true)],
    };

    private static async Task CompareAsync(RelaySnapshot snapshot, SmtpListenerOptions listener, IPEndPoint endpoint, bool isTls, X509Certificate2? certificate)
    {
        var hint = $"{listener.Name} {listener.Tls} {listener.Auth}, {(isTls ? "TLS" : "clear")}, {(certificate is null ? "no certificate" : "a certificate")}";
        var offer = snapshot.OfferOn(listener.Name, isTls, hasCertificate: certificate is not null && listener.AsksForClientCertificate, tiesTheConnection: isTls);
        Assert.NotNull(offer);
        await using var session = await SmtpDialogue.GreetAsync(endpoint, listener.Tls == TlsMode.Implicit, certificate);
        var ehlo = isTls && listener.Tls != TlsMode.Implicit ? await session.StartTlsAsync() : await session.SayAsync("EHLO client.example", "250");
        var said = ehlo.Split('\n').Select(static line => line[4..]).FirstOrDefault(static line => line.StartsWith("AUTH ", StringComparison.Ordinal));
        Assert.True(string.Join(' ', offer.Mechanisms) == (said?["AUTH ".Length..] ?? string.Empty), $"{hint}: explained {string.Join(' ', offer.Mechanisms)}, served {said}");
        Assert.Equal(offer.OffersStartTls, ehlo.Contains("STARTTLS", StringComparison.Ordinal));
        if (offer.RequiresTls)
        {
            Assert.StartsWith("530 5.7.0", await session.AskAsync("MAIL FROM:<a@foreign.example>"), StringComparison.Ordinal);
            return;
        }

        await CompareDecisionAsync(snapshot, session, offer, login: null, "a@foreign.example", "x@elsewhere.example", hint);
        await CompareDecisionAsync(snapshot, session, offer, login: null, "a@foreign.example", "x@accepted.example", hint);
        if (await LogInAsync(snapshot, session, offer, hint) is not { } user)
            return;
        await CompareDecisionAsync(snapshot, session, offer, user, user, "x@elsewhere.example", hint);
        await CompareDecisionAsync(snapshot, session, offer, user, "someone@else.example", "x@elsewhere.example", hint);
    }

    /// <summary>Tries whom some stores know, and then whom others do; null where the listener asks none of them.</summary>
    private static async Task<string?> LogInAsync(RelaySnapshot snapshot, SmtpDialogue session, ListenerOffer offer, string hint)
    {
        var accounts = snapshot.Accounts.On(offer.Listener).Verifiers;
        if (offer.Mechanisms.Contains("EXTERNAL", StringComparer.Ordinal))
        {
            var isKnown = await accounts.IdentifyAsync(User, TestContext.Current.CancellationToken) is LoginAnswer.Match;
            await session.SayAsync("AUTH EXTERNAL =", isKnown ? "235" : "535");
            return isKnown ? User : null;
        }

        foreach (var (user, password) in offer.Mechanisms.Contains("PLAIN", StringComparer.Ordinal) ? [(FileUser, FilePassword), (User, Password)] : Array.Empty<(string, string)>())
        {
            var explained = await accounts.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer: null, TestContext.Current.CancellationToken) is LoginAnswer.Match;
            var served = await session.AskAsync($"AUTH PLAIN {SmtpDialogue.Plain(user, password)}");
            Assert.True(served.StartsWith(explained ? "235" : "535", StringComparison.Ordinal), $"{hint}, {user}: explained {explained}, served {served}");
            if (explained)
                return user;
        }

        return null;
    }

    private static async Task CompareDecisionAsync(RelaySnapshot snapshot, SmtpDialogue session, ListenerOffer offer, string? login, string from, string to, string hint)
    {
        var decision = await snapshot.Policy.DryRunAsync(
            EnvelopeFacts.Of(offer, IPAddress.Loopback, login), new ReversePath(Mailbox.Parse(from)), Mailbox.Parse(to), TestContext.Current.CancellationToken);
        var served = await session.AskAsync($"MAIL FROM:<{from}>");
        if (served.StartsWith("250", StringComparison.Ordinal))
            served = await session.AskAsync($"RCPT TO:<{to}>");
        await session.SayAsync("RSET", "250");
        var explained = decision.IsPermit ? "250" : Reference().Replace(decision.Reply!.ToString(), string.Empty);
        Assert.True(Reference().Replace(served, string.Empty).StartsWith(explained, StringComparison.Ordinal), $"{hint}, {login ?? "no login"}, {from} to {to}: explained {explained}, served {served}");
    }

    [GeneratedRegex(@" \(ref \w+\)", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();

    private static async Task<Compiled> CompileAsync(PosternConfiguration configuration, CompileFor purpose) =>
        Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(configuration, purpose, TimeProvider.System)).Compiled;
}
