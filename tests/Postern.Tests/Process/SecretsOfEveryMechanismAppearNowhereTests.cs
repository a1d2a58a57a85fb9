using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>
/// What goes in by any mechanism never comes out: the right secret, a wrong one, one that is typed where the user name belongs, and the whole of a message
/// that is broken. Only the database may have the shared secret.
/// </summary>
[Collection(nameof(ProcessTests))]
public sealed class SecretsOfEveryMechanismAppearNowhereTests
{
    private const string User = "homer@example.org";
    private const string Password = "Tz7kQxWv3mNpRb9hLd";
    private const string WrongPassword = "Vd4nXjY8rKcMw2gPs7";

    /// <summary>Those that the stores answer; the others have no secret that a client says.</summary>
    private static readonly ISaslClientMechanism[] Mechanisms = [.. SaslClientMechanisms.All.Where(static m => m.Name is not ("EXTERNAL" or "GSSAPI"))];

    [Fact]
    public async Task No_output_and_no_file_holds_a_secret_that_was_tried()
    {
        using var mint = new TokenMint();
        using var forger = new TokenMint();
        using var home = new PosternHome(ProcessTests.Dll, string.Empty);
        var keys = Path.Combine(home.Root, "jwks.json");
        await File.WriteAllTextAsync(keys, mint.KeySet(), ProcessTests.Stop);
        await File.WriteAllTextAsync(home.ConfigFile, Configuration(keys), ProcessTests.Stop);
        Assert.Equal(0, (await home.RunAsync("account", "add", User)).ExitCode);
        var added = await home.RunWithInputAsync(Password + "\n", "credential", "add", User, "--password-stdin", "--form", "shared");
        Assert.Equal(0, added.ExitCode);
        var said = new StringBuilder(added.Output).Append(added.Error);
        string[] tokens = [mint.Sign(User, "ES256"), forger.Sign(User, "ES256"), mint.Sign(User, "RS256")];

        await using (var server = await home.ServeAsync())
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home.Data, "certificate.pem"));
            var channel = new ChannelBindings((ChannelBindingType.TlsServerEndPoint, SHA256.HashData(certificate.RawData)));
            foreach (var name in Mechanisms.Select(static m => m.Name))
                said.Append(await TryAsync(server, name, tokens, name.EndsWith("-PLUS", StringComparison.Ordinal) ? channel : null));
            Assert.Equal(0, await server.StopAsync());
            said.Append(server.Output.Text).Append(server.Error.Text);
        }

        foreach (var args in (string[][])[["log", "auth"], ["log", "auth", "--json"], ["credential", "list", User, "--json"]])
            said.Append((await home.RunAsync(args)).Output);
        foreach (var (secret, args) in ((string, string[])[])[(Password, []), (WrongPassword, []), (tokens[0], ["--token"]), (tokens[1], ["--token"])])
        {
            var test = await home.RunWithInputAsync(secret + "\n", ["auth", "test", User, .. args]);
            said.Append(test.Output).Append(test.Error);
        }

        string[] secrets = [Password, WrongPassword, .. tokens];
        Assert.All(Mechanisms, mechanism => Assert.Contains($"\"mechanism\":\"{mechanism.Name}\"", said.ToString(), StringComparison.Ordinal));
        Assert.Null(SecretTrace.Find(Encoding.UTF8.GetBytes(said.ToString()), secrets));
        foreach (var file in Directory.GetFiles(home.Data, "*", SearchOption.AllDirectories).Where(file => !file.StartsWith(home.DirectoryFile, StringComparison.Ordinal)))
            Assert.Null(SecretTrace.Find(await File.ReadAllBytesAsync(file, ProcessTests.Stop), secrets) is { } trace ? $"{file} holds {trace}" : null);
        Assert.NotNull(SecretTrace.Find(await File.ReadAllBytesAsync(home.DirectoryFile, ProcessTests.Stop), Password));
    }

    /// <summary>Everything that the server replied.</summary>
    private static async Task<string> TryAsync(PosternProcess server, string mechanism, string[] tokens, ChannelBindings? channel)
    {
        var replies = new StringBuilder();
        var right = Credentials(tokens).First() with { Channel = channel };
        Assert.StartsWith("235 ", await AskAsync(dialogue => dialogue.LogInAsync(mechanism, right)), StringComparison.Ordinal);
        var client = Mechanisms.First(m => m.Name == mechanism);
        foreach (var credentials in Credentials(tokens).Select(c => c with { Channel = channel }).Where(c => client.TryStart(c) is not null))
            await AskAsync(dialogue => dialogue.LogInAsync(mechanism, credentials));
        foreach (var secret in (string[])[Password, tokens[0]])
        {
            // In place of each message: alone, in base64, in base64 that is broken, and behind what is no beginning.
            foreach (var line in (string[])[secret, SaslLogin.Encode(secret), SaslLogin.Encode(secret) + "!", SaslLogin.Encode($"x\0{secret}\0\0")])
            {
                await AskAsync(dialogue => dialogue.LogInAsync(mechanism, right, _ => line));
                await AskAsync(async dialogue => (await dialogue.AskAsync($"AUTH {mechanism} {line}"), 1));
                // Too many failures in a row, and nothing would be looked at any more.
                await AskAsync(dialogue => dialogue.LogInAsync("PLAIN", right));
            }
        }

        return replies.ToString();

        async Task<string> AskAsync(Func<SmtpDialogue, Task<(string Reply, int Responses)>> ask)
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true);
            var (reply, _) = await ask(dialogue);
            replies.Append(reply).Append('\n');
            return reply;
        }
    }

    private static IEnumerable<SaslClientCredentials> Credentials(string[] tokens)
    {
        yield return With(User, Password, tokens[0]);
        yield return With(User, WrongPassword, tokens[1]);
        yield return With("nobody@example.org", Password, tokens[2]);
        yield return With(Password, WrongPassword, tokens[1]);
        yield return With(User, Password, tokens[0]) with { AuthorizationId = WrongPassword };
    }

    private static SaslClientCredentials With(string user, string password, string token) => new()
    {
        User = user,
        Password = new Secret(password),
        Token = new Secret(token),
        Host = "mail.example.org",
    };

    private static string Configuration(string keys) => $$"""
        server: { hostname: mail.example.org, data: data }
        login_protection: { exempt: [127.0.0.0/8] }
        listeners:
          - { name: submissions, listen: ["127.0.0.1:0"], tls: implicit, mechanisms: [{{string.Join(", ", Mechanisms.Select(static m => m.Name))}}] }
        oauth:
          - { issuer: "{{TokenMint.Issuer}}", jwks: "file://{{keys}}", audience: {{TokenMint.Audience}}, user_claim: {{TokenMint.UserClaim}} }

        """;
}
