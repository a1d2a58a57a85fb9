using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>Passwords kept in a chosen form, in the directory and in files, and how a login with them comes out.</summary>
public sealed class CredentialFormTests
{
    private const string Password = "tiger-lily-9";

    private static string Listeners(string mechanisms) => $$"""
        server: { hostname: mail.example.org, data: data }
        listeners: [{ name: in, listen: "127.0.0.1:0", mechanisms: [{{mechanisms}}] }]

        """;

    [Theory]
    [InlineData("shared", "CRAM-MD5", true)]
    [InlineData("digest-md5", "DIGEST-MD5", true)]
    [InlineData("scram-sha-256", "SCRAM-SHA-256", false)]
    [InlineData("scram-sha-512", "SCRAM-SHA-512", false)]
    public async Task A_credential_in_a_form_logs_in_by_its_mechanism_and_readable_ones_are_warned_about(string form, string mechanism, bool isWarned)
    {
        using var run = new CommandRun(Listeners(mechanism));
        await run.PosternAsync("account", "add", "lisa");

        var added = await run.WithInputAsync(Password + "\n", "credential", "add", "lisa", "--password-stdin", "--form", form);
        var right = await run.WithInputAsync(Password + "\n", "auth", "test", "lisa");
        var wrong = await run.WithInputAsync(Password + "x\n", "auth", "test", "lisa");

        Assert.Equal(ExitCode.Ok, added.ExitCode);
        Assert.Equal(isWarned, added.Error.Contains("can log in with it", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Ok, right.ExitCode);
        Assert.Matches($"{mechanism} +235 2.7.0 Authentication successful +logged in as lisa +in", right.Output);
        Assert.Equal(ExitCode.No, wrong.ExitCode);
        Assert.Matches($"{mechanism} +535 5.7.8 Authentication failed +wrong password", wrong.Output);
        Assert.DoesNotContain(Password, right.Output + right.Error + wrong.Output + wrong.Error + added.Output + added.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Auth_test_names_each_step_and_what_the_account_lacks()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa");
        await run.WithInputAsync(Password + "\n", "credential", "add", "lisa", "--password-stdin", "--label", "laptop");

        var result = await run.WithInputAsync(Password + "\n", "auth", "test", "Lisa", "--mechanism", "cram-md5");

        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Contains("knows lisa: a SCRAM-SHA-256 secret (laptop)", result.Output, StringComparison.Ordinal);
        Assert.Matches("2 +server +a challenge of [0-9]+ octets", result.Output);
        Assert.Contains("the account has only a SCRAM-SHA-256 secret; CRAM-MD5 needs a shared secret", result.Output, StringComparison.Ordinal);
        Assert.Contains("nowhere", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there is no mechanism 'CRAM-MD'; did you mean 'CRAM-MD5'?", "auth", "test", "lisa", "--mechanism", "CRAM-MD")]
    [InlineData("there is no store 'ldapp'", "auth", "test", "lisa", "--via", "ldapp://x")]
    [InlineData("--realm is for --form digest-md5", "credential", "add", "lisa", "--realm", "x")]
    [InlineData("'md5' not recognized", "credential", "add", "lisa", "--form", "md5")]
    [InlineData("digest-md5 needs --user and --realm", "hash", "--scheme", "digest-md5")]
    [InlineData("--user and --realm are for digest-md5", "hash", "--user", "lisa")]
    [InlineData("--remove takes no password", "passwd", "file", "lisa", "--remove", "--scheme", "plain")]
    [InlineData("there is no password on standard input", "auth", "test", "lisa")]
    [InlineData("there is no user name", "passwd", "file")]
    public async Task Wrong_usage_says_what_is_wrong(string message, params string[] args)
    {
        using var run = new CommandRun();

        var result = args[0] == "hash" ? await CommandRun.ExecuteAsync(args) : await run.PosternAsync(args);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_passwd_wrote_is_a_store()
    {
        using var run = new CommandRun();
        var (passwd, digest) = (Path.Combine(run.Root, "passwd"), Path.Combine(run.Root, "digest"));
        await File.WriteAllTextAsync(run.ConfigFile, $$"""
            server: { hostname: mail.example.org, data: data }
            accounts:
              - file://{{passwd}}
              - { uri: "digest://{{digest}}", realm: staff }
            listeners: [{ name: in, listen: "127.0.0.1:0", mechanisms: [SCRAM-SHA-256, DIGEST-MD5, PLAIN] }]
            """, TestContext.Current.CancellationToken);

        // The realm and the kind of the second file come from the configuration.
        Assert.Equal(ExitCode.Ok, (await run.WithInputAsync(Password + "\n", "passwd", passwd, "bob")).ExitCode);
        Assert.Contains("dora added in", (await run.WithInputAsync(Password + "\n", "passwd", digest, "dora")).Output, StringComparison.Ordinal);
        var bob = await run.WithInputAsync(Password + "\n", "auth", "test", "bob", "--json");
        var dora = await run.WithInputAsync(Password + "\n", "auth", "test", "dora");
        var checkedOut = await run.PosternAsync("check");

        Assert.StartsWith("dora:staff:", await File.ReadAllTextAsync(digest, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("\"says\": \"knows bob: a SCRAM-SHA-256 secret (file)\"", bob.Output, StringComparison.Ordinal);
        Assert.Matches("DIGEST-MD5.* 235 ", dora.Output);
        Assert.Matches("SCRAM-SHA-256 +535 .* +the account has only a DIGEST-MD5 secret of the realm 'staff'; SCRAM-SHA-256 needs", dora.Output);
        Assert.Contains("auth tls-only: SCRAM-SHA-256 DIGEST-MD5 PLAIN", checkedOut.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("passwd", passwd, "bob", "--remove")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("passwd", passwd, "bob", "--remove")).ExitCode);
    }

    [Fact]
    public async Task Check_warns_of_what_would_keep_users_out()
    {
        using var run = new CommandRun();
        var passwd = Path.Combine(run.Root, "passwd");
        await File.WriteAllTextAsync(passwd, "bob:brush\ncanary-without-colon\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(passwd, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await File.WriteAllTextAsync(run.ConfigFile, $$"""
            server: { data: data }
            accounts: [file://{{passwd}}, "file:///nowhere/passwd"]
            oauth: [{ issuer: a, audience: b, jwks: "file:///nowhere/jwks.json" }]
            """, TestContext.Current.CancellationToken);

        var result = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains($"2:12: accounts[0].uri: {passwd} can be read or written by every user of this machine", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{passwd}, line 2: it is not 'user:password'", result.Error, StringComparison.Ordinal);
        Assert.Contains("/nowhere/passwd: there is no such file", result.Error, StringComparison.Ordinal);
        Assert.Contains("oauth[0].jwks: /nowhere/jwks.json does not exist", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scram-sha-256", "SCRAM-SHA-256$200000:")]
    [InlineData("scram-sha-1", "SCRAM-SHA-1$200000:")]
    [InlineData("yescrypt", "$y$")]
    [InlineData("bcrypt", "$2b$")]
    [InlineData("sha512-crypt", "$6$")]
    [InlineData("plain", "{PLAIN}tiger-lily-9")]
    public async Task Hash_prints_a_stored_form(string scheme, string start)
    {
        var result = await CommandRun.ExecuteAsync(["hash", "--scheme", scheme], Password + "\n");

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.StartsWith(start, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lisa", "a:b")]
    [InlineData("lisa", "")]
    [InlineData("", "realm")]
    public async Task A_realm_or_user_that_cannot_stand_in_a_line_is_refused(string user, string realm)
    {
        var result = await CommandRun.ExecuteAsync(["hash", "--scheme", "digest-md5", "--user", user, "--realm", realm], Password + "\n");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("DIGEST-MD5 cannot hash this user or realm", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_digest_is_the_one_that_htdigest_computes()
    {
        var result = await CommandRun.ExecuteAsync(["hash", "--scheme", "digest-md5", "--user", "chris", "--realm", "elwood.innosoft.com"], "secretsecret\n");

        // md5(chris:elwood.innosoft.com:secretsecret)
        Assert.Equal("{DIGEST-MD5}chris:elwood.innosoft.com:" + Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData("chris:elwood.innosoft.com:secretsecret"u8)), result.Output.TrimEnd());
    }

    [Fact]
    public async Task The_right_to_act_as_another_is_granted_shown_and_taken()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "robot");

        var granted = await run.PosternAsync("account", "grant", "robot", "--act-as", "Lisa@example.org", "--address", "a@example.org");
        var shown = await run.PosternAsync("account", "show", "robot");
        var revoked = await run.PosternAsync("account", "revoke", "robot", "--act-as", "lisa@example.org");

        Assert.Contains("account robot may now send as a@example.org and may now act as lisa@example.org", granted.Output, StringComparison.Ordinal);
        Assert.Matches("may act as +lisa@example.org", shown.Output);
        Assert.Contains("account robot may no longer act as lisa@example.org", revoked.Output, StringComparison.Ordinal);
    }
}
