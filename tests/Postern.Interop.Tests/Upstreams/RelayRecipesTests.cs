using System.Security.Cryptography;
using System.Text.Json;
using Postern.Interop.Tests.Server;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>The configurations of docs/relay-through-….md as they stand there, with the addresses of a server of the test in the place of the upstream's.</summary>
public sealed class RelayRecipesTests
{
    private const string Secret = "s3cret-of-the-application";

    [Theory]
    [InlineData("microsoft-365", "AUTH LOGIN XOAUTH2", "user=robot@example.org\u0001auth=Bearer token-1\u0001\u0001")]
    [InlineData("google-workspace", "AUTH LOGIN PLAIN XOAUTH2", "user=robot@example.org\u0001auth=Bearer token-1\u0001\u0001")]
    [InlineData("amazon-ses", "AUTH PLAIN LOGIN", "\0AKIAIOSFODNN7EXAMPLE\0" + Secret)]
    public async Task A_message_goes_out_by_the_configuration_of_the_page(string page, string offer, string proof)
    {
        var recipe = Recipe(page);
        await using var tokens = new TokenServer();
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Certificate = TestCertificate.Instance,
            ImplicitTls = recipe.Contains("smtps://", StringComparison.Ordinal),
            Extensions = ["PIPELINING", "8BITMIME", offer],
        });
        using var home = await PosternHome.CreateAsync(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: Here(recipe, sink.Port, tokens)));
        await File.WriteAllTextAsync(Path.Combine(home.Root, "sink.pem"), TestCertificate.Instance.ExportCertificatePem());
        foreach (var name in (string[])["microsoft.secret", "ses.secret"])
            await File.WriteAllTextAsync(Path.Combine(home.Root, name), Secret + "\n");
        using var rsa = RSA.Create(2048);
        await File.WriteAllTextAsync(
            Path.Combine(home.Root, "google-service-account.json"),
            JsonSerializer.Serialize(new Dictionary<string, string>
            {
                ["type"] = "service_account",
                ["private_key_id"] = "key-1",
                ["private_key"] = rsa.ExportPkcs8PrivateKeyPem(),
                ["client_email"] = "postern@project.iam.gserviceaccount.test",
            }));
        Assert.Equal(0, (await home.RunAsync("check")).ExitCode);
        await using var postern = await home.ServeAsync();

        await Submission.SubmitAsync(postern, "b@there.test");

        Assert.Equal("b@there.test", Assert.Single((await sink.NextMessageAsync()).Recipients));
        Assert.Contains(sink.Transcript(0), line => line.EndsWith(" " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(proof)), StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, postern.Output.Text + (await home.RunAsync("status")).Output, StringComparison.Ordinal);
        if (page == "google-workspace")
            Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", Assert.Single(tokens.Asked)["grant_type"]);
        if (page == "microsoft-365")
            Assert.Equal((Secret, "https://outlook.office365.com/.default"), (tokens.Asked[0]["client_secret"], tokens.Asked[0]["scope"]));
    }

    [Fact]
    public async Task The_postmaster_is_told_once_that_the_endpoint_refuses_and_a_code_that_is_entered_mends_it()
    {
        await using var tokens = new TokenServer
        {
            Answer = static form => form["path"] == "/device" ? TokenReply.Device("WDJB-MJHT")
                : form["grant_type"] != "refresh_token" ? TokenReply.Granted("unused", refresh: "good")
                : form["refresh_token"] == "good" ? TokenReply.Granted("token-1")
                : TokenReply.Refused("invalid_grant", "AADSTS50173: revoked"),
        };
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = TestCertificate.Instance, Extensions = ["PIPELINING", "AUTH XOAUTH2"] });
        await using var postmaster = new ScriptedSink();
        var routes = $$"""
            delivery:
              retry: { first: 1s, most: 2s }
              routes:
                - { to: example.org, via: "smtp://127.0.0.1:{{postmaster.Port}}" }
                - { to: mail.example.org, via: "smtp://127.0.0.1:{{postmaster.Port}}" }
                - to: "*"
                  via: "smtp://localhost:{{sink.Port}}?tls=required"
                  ca: sink.pem
                  login:
                    user: robot@example.org
                    oauth: { grant: refresh_token, refresh_token: old, device_url: "{{tokens.DeviceUrl}}", token_url: "{{tokens.TokenUrl}}", client_id: app }
            """;
        using var home = await PosternHome.CreateAsync(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: routes));
        await File.WriteAllTextAsync(Path.Combine(home.Root, "sink.pem"), TestCertificate.Instance.ExportCertificatePem());
        await using var postern = await home.ServeAsync();
        await Submission.SubmitAsync(postern, "b@there.test");

        var word = await postmaster.NextMessageAsync();
        Assert.Contains("Subject: Mail as robot@example.org waits: its login is refused", word.Text, StringComparison.Ordinal);
        Assert.Contains("invalid_grant (AADSTS50173: revoked)", word.Text, StringComparison.Ordinal);
        Assert.Contains("postern oauth login robot@example.org", word.Text, StringComparison.Ordinal);

        var login = await home.RunAsync("oauth", "login");
        Assert.Equal(0, login.ExitCode);
        Assert.Contains("WDJB-MJHT", login.Output, StringComparison.Ordinal);
        Assert.Equal("b@there.test", Assert.Single((await sink.NextMessageAsync()).Recipients));
        Assert.Single(postmaster.Messages);
    }

    /// <summary>The first block of the page that is a configuration.</summary>
    private static string Recipe(string page)
    {
        var lines = File.ReadAllLines(SourceTree.PathOf($"docs/relay-through-{page}.md"));
        return string.Join('\n', lines.SkipWhile(static l => l != "    delivery:").TakeWhile(static l => l.StartsWith("    ", StringComparison.Ordinal)).Select(static l => l[4..]));
    }

    private static string Here(string recipe, int port, TokenServer tokens) => string.Join('\n', recipe.Split('\n').SelectMany(line =>
    {
        var key = line.TrimStart();
        var indent = line[..^key.Length];
        return key.StartsWith("via:", StringComparison.Ordinal)
            ? (string[])[$"{indent}via: \"{(key.Contains("smtps:", StringComparison.Ordinal) ? $"smtps://localhost:{port}" : $"smtp://localhost:{port}?tls=required")}\"", $"{indent}ca: sink.pem"]
            : key.StartsWith("token_url:", StringComparison.Ordinal) ? [$"{indent}token_url: {tokens.TokenUrl}"]
            : [line];
    }));
}
