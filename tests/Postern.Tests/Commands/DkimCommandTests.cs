using System.Security.Cryptography;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class DkimCommandTests : IDisposable
{
    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Keys_are_made_printed_put_to_use_followed_and_removed()
    {
        var created = await run.PosternAsync("dkim", "create", "Example.org", "--selector", "mail");
        Assert.Equal(ExitCode.Ok, created.ExitCode);
        Assert.StartsWith("example.org: made mail and mail-ed25519; publish their records, then: postern dkim activate example.org\n", created.Output, StringComparison.Ordinal);
        Assert.Contains("\nmail._domainkey.example.org. IN TXT (\n    \"v=DKIM1; k=rsa; p=MII", created.Output, StringComparison.Ordinal);
        Assert.Contains("\nmail-ed25519._domainkey.example.org. IN TXT \"v=DKIM1; k=ed25519; p=", created.Output, StringComparison.Ordinal);
        Assert.Contains("\nname   mail._domainkey.example.org   (pending)\nvalue  v=DKIM1; k=rsa; p=MII", created.Output, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("dkim", "activate", "example.org", "--unchecked")).ExitCode);
        var keys = await run.JsonAsync("dkim", "dns", "example.org");
        Assert.Equal(["active", "active"], keys.EnumerateArray().Select(static k => k.GetProperty("state").GetString()!));
        Assert.Equal(255, keys[0].GetProperty("recordStrings")[0].GetString()!.Length);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("dkim", "rotate", "example.org")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("dkim", "rotate", "example.org")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("dkim", "retire", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("dkim", "activate", "example.org", "--unchecked")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("dkim", "retire", "example.org")).ExitCode);
        var listed = await run.PosternAsync("dkim", "list");
        Assert.Equal((2, 2), (listed.Output.Split("retired").Length - 1, listed.Output.Split("active").Length - 1));
        Assert.Contains("mail of example.org is signed no more", (await run.PosternAsync("dkim", "remove", "example.org", "--yes")).Output, StringComparison.Ordinal);
        Assert.Equal("no keys, and mail leaves unsigned; to make them: postern dkim create DOMAIN\n", (await run.PosternAsync("dkim", "list")).Output);
    }

    [Fact]
    public async Task Of_two_pairs_that_wait_the_last_one_signs_and_that_is_what_is_said()
    {
        await run.PosternAsync("dkim", "create", "example.org", "--selector", "r");
        var second = await run.PosternAsync("dkim", "create", "example.org", "--selector", "s");
        var activated = await run.PosternAsync("dkim", "activate", "example.org", "--unchecked");

        Assert.Contains("r and r-ed25519 of before wait too", second.Output, StringComparison.Ordinal);
        Assert.StartsWith("example.org is signed for by s and s-ed25519 from now on; r and r-ed25519, made before, sign nothing", activated.Output, StringComparison.Ordinal);
        var active = (await run.JsonAsync("dkim", "list")).EnumerateArray().Where(static k => k.GetProperty("state").GetString() == "active");
        Assert.Equal(["s", "s-ed25519"], active.Select(static k => k.GetProperty("selector").GetString()!).Order(StringComparer.Ordinal));
        var changes = (await run.JsonAsync("log", "admin")).EnumerateArray().Last().GetProperty("changes").ToString();
        Assert.Contains("replaced", changes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("remove", "--selector", "r")]
    [InlineData("retire", "--selector", "r")]
    public async Task A_private_key_is_erased_after_a_question_alone(string name, params string[] with)
    {
        await run.PosternAsync("dkim", "create", "example.org", "--selector", "r", "--algorithm", "ed25519");
        await run.PosternAsync("dkim", "activate", "example.org", "--unchecked");
        string[] command = ["dkim", name, "example.org", .. with, "--config", run.ConfigFile];

        var nobody = await CommandRun.ExecuteAsync(command);
        var no = await CommandRun.ExecuteAsync(command, "n\n", canAsk: true);
        Assert.Equal((ExitCode.Usage, ExitCode.No), (nobody.ExitCode, no.ExitCode));
        Assert.Contains("r (active) of example.org would be erased for good", nobody.Error, StringComparison.Ordinal);
        Assert.Equal("active", (await run.JsonAsync("dkim", "list"))[0].GetProperty("state").GetString());
        Assert.Equal(ExitCode.Ok, (await CommandRun.ExecuteAsync(command, "y\n", canAsk: true)).ExitCode);
    }

    [Fact]
    public async Task A_key_of_another_program_is_taken_and_a_file_that_holds_none_is_refused()
    {
        using var rsa = RSA.Create(1024);
        var file = Path.Combine(run.Root, "mail.private");
        await File.WriteAllTextAsync(file, rsa.ExportRSAPrivateKeyPem(), TestContext.Current.CancellationToken);

        var taken = await run.PosternAsync("dkim", "create", "example.org", "--selector", "mail", "--key", file);
        var wrong = await run.PosternAsync("dkim", "create", "example.org", "--key", run.ConfigFile);
        var missing = await run.PosternAsync("dkim", "create", "example.org", "--key", Path.Combine(run.Root, "none"));

        Assert.Equal((ExitCode.Ok, ExitCode.Usage, ExitCode.Usage), (taken.ExitCode, wrong.ExitCode, missing.ExitCode));
        Assert.Contains("warning: the key has 1024 bits", taken.Error, StringComparison.Ordinal);
        Assert.Contains(Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo()), taken.Output, StringComparison.Ordinal);
        Assert.Contains("it holds no private key in PEM", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_private_part_of_a_key_is_shown_nowhere_and_its_file_is_its_owners_alone()
    {
        await run.PosternAsync("dkim", "create", "example.org", "--algorithm", "ed25519");
        var said = (await run.PosternAsync("dkim", "list", "--json")).Output + (await run.PosternAsync("dkim", "dns", "example.org", "--json")).Output
            + (await run.PosternAsync("log", "admin")).Output;

        Assert.DoesNotContain("private", said, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("dkim create", said, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(run.Data, "directory.db")));
    }

    [Fact]
    public async Task Domains_that_are_to_sign_and_have_no_key_are_told_of_by_check_at_their_place()
    {
        using var other = new CommandRun("server: { hostname: mail.example.org, data: data }\ndkim:\n  required: [example.net, sub.example.org]\n  fallback:\n    - { domain: example.com, tenant: acme }\n");
        await other.PosternAsync("dkim", "create", "example.org");
        await other.PosternAsync("dkim", "activate", "example.org", "--unchecked");

        var check = await other.JsonAsync("check");

        var warnings = check.GetProperty("warnings").EnumerateArray().Where(static w => w.GetProperty("key").GetString()!.StartsWith("dkim", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            [
                (3, "dkim.required[0]", "example.net has no active key, so its mail waits: postern dkim create example.net, then activate"),
                (5, "dkim.fallback[0].domain", "example.com has no active key, so nothing is signed by it: postern dkim create example.com, then activate"),
            ],
            warnings.Select(static w => (w.GetProperty("line").GetInt32(), w.GetProperty("key").GetString(), w.GetProperty("message").GetString())));
    }

    [Fact]
    public async Task A_domain_is_looked_at_with_the_resolvers_of_the_configuration_and_silence_is_no_answer()
    {
        using var silent = new System.Net.Sockets.UdpClient(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        var port = ((System.Net.IPEndPoint)silent.Client.LocalEndPoint!).Port;
        silent.Close();
        using var other = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\ndelivery: {{ dns: {{ servers: [\"127.0.0.1:{port}\"] }} }}\n");

        var looked = await other.PosternAsync("domain", "check", "example.org", "--address", "9.9.9.9");
        var wrong = await other.PosternAsync("domain", "check", "not a domain");

        Assert.Equal((ExitCode.No, ExitCode.Usage), (looked.ExitCode, wrong.ExitCode));
        Assert.Contains("What to mend, in this order:\n1. DKIM: postern dkim create example.org\n2. PTR: Ask again", looked.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_makes_no_sense_says_what_would()
    {
        Assert.Contains("example.org has no DKIM key; to make one: postern dkim create example.org", (await run.PosternAsync("dkim", "activate", "example.org")).Error, StringComparison.Ordinal);
        await run.PosternAsync("dkim", "create", "example.org");
        Assert.Contains("example.orq has no DKIM key; did you mean 'example.org'?", (await run.PosternAsync("dkim", "rotate", "example.orq")).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("dkim", "create", "example.org", "--algorithm", "dsa")).ExitCode);
        Assert.Contains("has no active key that another could follow", (await run.PosternAsync("dkim", "rotate", "example.org")).Error, StringComparison.Ordinal);
    }
}
