using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Upstreams;

/// <summary><c>postern serve</c> with a route that logs in to a Postfix which relays for nobody else.</summary>
public sealed class UpstreamRelayTests(UpstreamPostfix upstream) : IClassFixture<UpstreamPostfix>
{
    private const string SecretName = "upstream.secret";

    [Fact]
    public async Task A_message_goes_through_an_upstream_that_demands_a_login()
    {
        UpstreamPostfix.Require();
        using var home = await HomeAsync(UpstreamPostfix.Password);
        await using var postern = await home.ServeAsync();

        var recipient = await SubmitAsync(postern);

        Assert.Contains($"(Authenticated sender: {UpstreamPostfix.User}", (await upstream.MessageForAsync(recipient)).Text, StringComparison.Ordinal);
        var status = await home.RunAsync("status");
        Assert.Contains($"logs in as {UpstreamPostfix.User}", status.Output, StringComparison.Ordinal);
        AssertSecretIsNowhere(home, status.Output + postern.Output.Text, UpstreamPostfix.Password);
    }

    [Fact]
    public async Task A_wrong_password_defers_says_by_what_mechanism_and_is_right_after_a_restart()
    {
        const string Wrong = "lion, lion in the night";
        UpstreamPostfix.Require();
        using var home = await HomeAsync(Wrong);
        string recipient;
        await using (var postern = await home.ServeAsync())
        {
            recipient = await SubmitAsync(postern);
            var line = await postern.Output.FindAsync(l => l.Contains("\"outcome\":\"deferred\"", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Contains("login by SCRAM-SHA-256: 535 5.7.8 Error: authentication failed", line, StringComparison.Ordinal);
            var id = (await home.JsonAsync("queue", "list")).GetProperty("items")[0].GetProperty("id").GetString()!;
            var queued = await home.RunAsync("queue", "show", id);
            Assert.Contains("login by SCRAM-SHA-256: 535 5.7.8", queued.Output, StringComparison.Ordinal);
            AssertSecretIsNowhere(home, queued.Output + postern.Output.Text, Wrong);
            await postern.StopAsync();
        }

        await WriteSecretAsync(home, UpstreamPostfix.Password);
        await using var restarted = await home.ServeAsync();

        Assert.Contains("Subject: hello", (await upstream.MessageForAsync(recipient)).Text, StringComparison.Ordinal);
    }

    private async Task<PosternHome> HomeAsync(string password)
    {
        var delivery = $$"""
            delivery:
              routes:
                - to: "*"
                  via: "smtp://localhost:{{upstream.Port}}"
                  ca: {{upstream.CertificateFile}}
                  login: { user: {{UpstreamPostfix.User}}, password: "file:{{SecretName}}" }
              retry: { first: 1s, most: 5s }
            """;
        var home = await PosternHome.CreateAsync(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: delivery));
        await WriteSecretAsync(home, password);
        return home;
    }

    private static async Task WriteSecretAsync(PosternHome home, string password)
    {
        var file = Path.Combine(home.Root, SecretName);
        await File.WriteAllTextAsync(file, password + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Answers the recipient.</summary>
    private static async Task<string> SubmitAsync(PosternProcess postern)
    {
        var recipient = PosternServer.NewRecipient();
        await Submission.SubmitAsync(postern, recipient);
        return recipient;
    }

    private static void AssertSecretIsNowhere(PosternHome home, string printed, string secret)
    {
        Assert.DoesNotContain(secret, printed, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(home.Logs, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal);
    }
}
