using System.Text;
using Postern.Commands.Output;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Sasl.Verifiers;

namespace Postern.Tests.Commands;

/// <summary><c>account import</c>: what comes over from files of other programs, what is left, and that it can be run again.</summary>
public sealed class AccountImportTests : IDisposable
{
    private static readonly AccountOptions Users = new() { Sources = [new AccountSource("directory", "mail.example.org")] };

    private const string Ssha = "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR";
    private const string Password = "geheim-Wort-1";

    private readonly CommandRun run = new();

    private string DirectoryFile => RelayOptions.DirectoryFile(run.Data);

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Five_hundred_users_come_over_by_one_command_and_log_in_with_their_old_passwords()
    {
        const int Count = 500;
        var (users, senders) = (Write("users", ImportedUsers.Passwd(Count)), Write("senders", ImportedUsers.Senders(Count)));

        var first = await run.PosternAsync("account", "import", senders, users);

        Assert.Equal((ExitCode.Ok, string.Empty), (first.ExitCode, string.Join('\n', first.Error.Split('\n').Where(static l => !l.StartsWith("warning: ", StringComparison.Ordinal))).Trim()));
        Assert.Contains($"{users}: dovecot, as it looks", first.Output, StringComparison.Ordinal);
        Assert.Contains($"{senders}: postfix, as it looks", first.Output, StringComparison.Ordinal);
        Assert.Contains("added: 500 accounts, 500 passwords, 1000 rights to send", first.Output, StringComparison.Ordinal);
        Assert.Contains("warning: 250 passwords are kept in a form from which it is soon guessed when stolen (125 $2b$, 125 {SSHA})", first.Error, StringComparison.Ordinal);

        await EveryoneLogsInAsync(Count);

        var before = Snapshot();
        var second = await run.PosternAsync("account", "import", senders, users);
        Assert.Equal(ExitCode.Ok, second.ExitCode);
        Assert.Contains("nothing changed\n1501 entries are so already", second.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(before, Snapshot());

        var account = await run.JsonAsync("account", "show", "user7@example.org");
        Assert.Equal(["alias7@example.org", "user7@example.org"], account.GetProperty("addresses").EnumerateArray().Select(static a => a.GetString()!));
        Assert.Equal("imported", account.GetProperty("credentials")[0].GetProperty("label").GetString());
        Assert.Equal(501, (await run.JsonAsync("account", "show", "user0@example.org")).GetProperty("addresses").GetArrayLength());
        Assert.Equal("lists.example.org", (await run.JsonAsync("account", "show", "user0@example.org")).GetProperty("domains")[0].GetString());
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_writes_nothing()
    {
        var users = Write("users", $"lisa@example.org:{Ssha}\n");
        var dry = await run.PosternAsync("account", "import", users, "--format", "dovecot", "--dry-run");
        Assert.Equal(ExitCode.Ok, dry.ExitCode);
        Assert.Contains("would be added: 1 account, 1 password, 0 rights", dry.Output, StringComparison.Ordinal);
        Assert.Contains("dry run: nothing was written", dry.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Data));

        await run.PosternAsync("account", "add", "bart@example.org");
        var before = Snapshot();
        dry = await run.PosternAsync("account", "import", users, "--dry-run");
        Assert.Equal(ExitCode.Ok, dry.ExitCode);
        Assert.Equal(before, Snapshot());
        Assert.DoesNotContain((await run.JsonAsync("log", "admin")).EnumerateArray(), static e => e.GetProperty("action").GetString() == "account import");
    }

    [Fact]
    public async Task What_is_not_taken_is_said_with_file_line_and_reason_and_never_with_a_secret()
    {
        var users = Write("users", $$"""
            # comment
            ok@example.org:{{Ssha}}::::::
            nopass@example.org::::::::
            any@example.org:{{Ssha}}::::::nopassword
            off@example.org:{{Ssha}}::::::userdb_x=1 nologin
            on@example.org:{{Ssha}}::::::nologin=no
            net@example.org:{{Ssha}}::::::allow_nets=192.0.2.0/24
            locked@example.org:!{{Ssha}}::::::
            star@example.org:*::::::
            clear@example.org:canary-word::::::
            odd@example.org:{NTLM}canary::::::
            dear@example.org:{BLF-CRYPT}$2b$30$BxG3VVuJt5oK6GX5t3sxmeNHFJ7L/Vzj/pgCXRwDgp62MZJZD2HJm::::::
            OK@example.org:{{Ssha}}::::::
            canary with space:{{Ssha}}::::::
            no colon canary
            lisa@example.org:{DIGEST-MD5}45b598fc49cabcd6aef0ed318f6733e1::::::
            """.ReplaceLineEndings("\n"));

        var result = await run.PosternAsync("account", "import", users, "--format", "dovecot");

        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.DoesNotContain("canary", result.Output + result.Error, StringComparison.Ordinal);
        foreach (var (line, words) in new[]
        {
            (4, "any@example.org: not taken: Dovecot lets it in with any password"),
            (10, "clear@example.org: not taken: its password is in no form that is known here; a readable one is written {PLAIN}password"),
            (11, "odd@example.org: not taken: a {NTLM} hash"),
            (12, "dear@example.org: not taken: a {BLF-CRYPT} hash that cannot be verified here: it is damaged, other fields stand behind it, or its cost is above 16 (bcrypt)"),
            (13, "ok@example.org: not taken: its user stands above already"),
            (14, "not taken: its name is none that an account can have"),
            (15, "not taken: it is not 'user:password'"),
        })
            Assert.Contains($"{users}:{line}: {words}", result.Error, StringComparison.Ordinal);
        foreach (var (line, words) in new[]
        {
            (3, "nopass@example.org: added, and disabled: it has no password"),
            (5, "off@example.org: added, and disabled: nologin"),
            (7, "net@example.org: added, and disabled: it may log in from some networks only (allow_nets)"),
            (8, "locked@example.org: added, and disabled: its password is locked"),
            (9, "star@example.org: added, and disabled: its password is locked"),
        })
            Assert.Contains($"{users}:{line}: {words}", result.Output, StringComparison.Ordinal);
        Assert.Contains("added: 8 accounts (5 disabled), 6 passwords", result.Output, StringComparison.Ordinal);
        foreach (var (user, isIn) in new[] { ("ok", true), ("on", true), ("lisa", true), ("off", false), ("net", false), ("locked", false), ("nopass", false), ("star", false) })
            Assert.Equal((user, isIn), (user, await LogsInAsync($"{user}@example.org", Password)));
        await run.PosternAsync("account", "enable", "locked@example.org");
        Assert.True(await LogsInAsync("locked@example.org", Password));
    }

    [Fact]
    public async Task A_wrong_file_takes_nothing_away_and_other_passwords_stay()
    {
        await run.PosternAsync("account", "import", Write("a", $"lisa@example.org:{Ssha}\nbart@example.org:{Ssha}\n"), "--format", "htpasswd");
        await run.PosternAsync("account", "add", "homer@example.org");
        await run.WithInputAsync("own-password-1\n", "credential", "add", "homer@example.org", "--password-stdin");
        await run.PosternAsync("account", "disable", "bart@example.org");
        var before = Snapshot();

        var wrong = Write("b", "lisa@example.org:$apr1$abcdefgh$R0E65Eb3vdT903fP0jqAA0\nbart@example.org:" + Ssha + "\nhomer@example.org:" + Ssha + "\n");
        var result = await run.PosternAsync("account", "import", wrong);

        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Contains($"{wrong}: htpasswd, as it looks", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{wrong}:1: lisa@example.org: not taken: it has another password here than in the file, which stays; to take that of the file: postern credential revoke lisa@example.org imported", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{wrong}:2: bart@example.org: it is disabled here and stays so", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{wrong}:3: homer@example.org: not taken: it has a password here, which stays", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot());

        await run.PosternAsync("credential", "revoke", "lisa@example.org", "imported");
        Assert.Equal(ExitCode.No, (await run.PosternAsync("account", "import", wrong)).ExitCode);
        Assert.True(await LogsInAsync("lisa@example.org", "xxxxxxxxxxxxxxxx"));
    }

    [Fact]
    public async Task A_password_that_was_strengthened_since_is_the_same_to_a_second_import()
    {
        var users = Write("users", $"lisa@example.org:{Ssha}\n");
        await run.PosternAsync("account", "import", users);
        using (var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(DirectoryFile)))
        using (var foundation = new AccountFoundation(directory, Users, NoAuditLog.Instance, TimeProvider.System, isServer: true))
        using (var accounts = new RelayAccounts(Users, foundation))
        {
            Assert.IsType<LoginAnswer.Match>(await accounts.Verifiers.Passwords.CheckAsync("lisa@example.org", Encoding.UTF8.GetBytes(Password), peer: null, TestContext.Current.CancellationToken));
            while (!accounts.Verifiers.Replacement!.IsIdle)
                await Task.Yield();
        }

        Assert.Contains("SCRAM-SHA-256", (await run.PosternAsync("account", "show", "lisa@example.org")).Output, StringComparison.Ordinal);
        var again = await run.PosternAsync("account", "import", users);
        Assert.Equal(ExitCode.Ok, again.ExitCode);
        Assert.Contains("nothing changed", again.Output, StringComparison.Ordinal);
        Assert.True(await LogsInAsync("lisa@example.org", Password));
    }

    [Fact]
    public async Task Rights_go_to_accounts_that_are_there_and_to_no_others()
    {
        await run.PosternAsync("account", "add", "lisa@example.org");
        var map = Write("map", "sales@example.org\n  lisa@example.org,\n\tghost@example.org\n/^x/ lisa@example.org\n@example.net lisa\nnot-an-address@ lisa@example.org\n");

        var result = await run.PosternAsync("account", "import", map, "--format", "postfix", "--domain", "example.org");

        Assert.Contains($"{map}:1: ghost@example.org: not taken: there is no account ghost@example.org", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{map}:4: not taken: it is a regular expression", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{map}:6: not taken: it begins with neither an address nor @domain", result.Error, StringComparison.Ordinal);
        var account = await run.JsonAsync("account", "show", "lisa@example.org");
        Assert.Equal(["lisa@example.org", "sales@example.org"], account.GetProperty("addresses").EnumerateArray().Select(static a => a.GetString()!));
        Assert.Equal("example.net", account.GetProperty("domains")[0].GetString());
        Assert.Equal(1, (await run.JsonAsync("account", "list")).GetArrayLength());
    }

    [Fact]
    public async Task A_table_says_name_password_rights_and_state()
    {
        var table = Write("users.csv", $"\"Login\";hash;addresses;domains;enabled;note\nlisa@example.org;\"{Ssha}\";sales@example.org news@example.org;@example.net;yes;\"a;b\"\nbart@example.org;{Ssha};;;no;x\nhomer@example.org;;;;;\nmarge@example.org;{Ssha};;;;;;;\n");

        var result = await run.JsonAsync("account", "import", table);

        Assert.Equal("csv", result.GetProperty("files")[0].GetProperty("format").GetString());
        var report = result.GetProperty("report");
        Assert.Equal((3, 1, 2, 3), (Number("accounts"), Number("disabled"), Number("passwords"), Number("rights")));
        Assert.Equal(5, Assert.Single(report.GetProperty("notTaken").EnumerateArray()).GetProperty("line").GetInt32());
        Assert.True(await LogsInAsync("lisa@example.org", Password));
        Assert.False(await LogsInAsync("bart@example.org", Password));

        int Number(string name) => report.GetProperty(name).GetInt32();
    }

    [Theory]
    [InlineData("lisa:5KxdCyskx25TU0XZj5MnWw==\n", "htpasswd", "LDAP-MD5", "lisa@example.org")]
    [InlineData("lisa:U3sfJBjwWbdXI\n", "htpasswd", null, "lisa@example.org")]
    [InlineData("lisa:6j1DuYcN47OiY:1000:1000::/home/lisa:/bin/sh\n", "dovecot", null, "lisa@example.org")]
    [InlineData("lisa:{sha512.b64}0ZXhp5ENGT7dtgN5qc1EkV+6Aief/OL56/FzpAv0EmWoRpUgxnsazIKjUbSQkCiohoLMmD3xQ8JFmqFPxTmlXg==\n", "dovecot", null, "lisa@example.org")]
    public async Task Names_without_a_domain_and_passwords_without_a_scheme_are_what_the_operator_says(string text, string format, string? scheme, string user)
    {
        string[] said = scheme is null ? [] : ["--scheme", scheme];
        var result = await run.PosternAsync(["account", "import", Write("users", text), "--domain", "example.org", .. said]);
        Assert.Equal((ExitCode.Ok, string.Empty), (result.ExitCode, result.ExitCode == ExitCode.Ok ? string.Empty : result.Error));
        Assert.Contains($": {format}, as it looks", result.Output, StringComparison.Ordinal);
        Assert.True(await LogsInAsync(user, Password));
    }

    [Theory]
    [InlineData("", "it cannot be told what this is")]
    [InlineData("just words\nand more\n", "it cannot be told what this is")]
    [InlineData("lisa:x\n\0\n", "is not a text file")]
    [InlineData(null, "cannot be read")]
    public async Task A_file_that_is_no_list_of_users_is_refused_whole(string? text, string words)
    {
        var result = await run.PosternAsync("account", "import", text is null ? Path.Combine(run.Root, "missing") : Write("users", text));
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Data));
    }

    [Fact]
    public async Task Ten_thousand_users_come_in_one_transaction()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 10_000; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"user{i}@example.org:{Ssha}\n");
        var users = Write("users", text.ToString());
        await run.PosternAsync("account", "list");
        using var reader = SqliteDirectory.Open(new SqliteDirectoryOptions(DirectoryFile));
        Assert.Null(reader.FindAccount("user0@example.org"));

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "import", users)).ExitCode);

        Assert.NotNull(reader.FindAccount("user0@example.org"));
        Assert.NotNull(reader.FindAccount("user9999@example.org"));
        var admin = Assert.Single((await run.JsonAsync("log", "admin")).EnumerateArray());
        Assert.Equal(("account import", $"{users}: 10000 accounts, 10000 passwords, 0 rights"), (admin.GetProperty("action").GetString(), admin.GetProperty("target").GetString()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_person_sees_a_bar_on_the_error_stream_and_a_pipe_sees_none(bool isPerson)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(output, error, new StringReader(string.Empty), isInteractive: isPerson, canAsk: false, window: 80);
        Assert.Equal(7, ProgressLine.Run(terminal, "accounts", 2, progress =>
        {
            Assert.Equal(isPerson && !Terminal.IsDumb, progress is not null);
            progress?.Report(2);
            return 7;
        }));
        Assert.Equal(isPerson && !Terminal.IsDumb, error.ToString().Contains("accounts", StringComparison.Ordinal));
        Assert.Empty(output.ToString());
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(run.Root, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Every row of every table.</summary>
    private string Snapshot()
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={DirectoryFile};Pooling=False;Mode=ReadOnly");
        connection.Open();
        var text = new StringBuilder();
        foreach (var table in new[] { "accounts", "account_addresses", "account_domains", "account_act_as", "credentials", "domains", "networks" })
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"select * from {table} order by 1, 2";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                var row = new object[reader.FieldCount];
                reader.GetValues(row);
                text.AppendLine($"{table}: {string.Join('|', row)}");
            }
        }

        return text.ToString();
    }

    private async Task<bool> LogsInAsync(string user, string password)
    {
        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(DirectoryFile));
        using var foundation = new AccountFoundation(directory, Users, NoAuditLog.Instance, TimeProvider.System);
        using var accounts = new RelayAccounts(Users, foundation);
        return await accounts.Verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer: null, TestContext.Current.CancellationToken) is LoginAnswer.Match;
    }

    private async Task EveryoneLogsInAsync(int count)
    {
        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(DirectoryFile));
        using var foundation = new AccountFoundation(directory, Users, NoAuditLog.Instance, TimeProvider.System);
        using var accounts = new RelayAccounts(Users, foundation);
        for (var i = 0; i < count; i++)
        {
            var answer = await accounts.Verifiers.Passwords.CheckAsync(ImportedUsers.NameOf(i), Encoding.UTF8.GetBytes(ImportedUsers.PasswordOf(i)), peer: null, TestContext.Current.CancellationToken);
            Assert.True(answer is LoginAnswer.Match, $"{ImportedUsers.NameOf(i)}: {answer}");
        }

        Assert.IsType<LoginAnswer.NoMatch>(await accounts.Verifiers.Passwords.CheckAsync(ImportedUsers.NameOf(1), Encoding.UTF8.GetBytes(ImportedUsers.PasswordOf(0)), peer: null, TestContext.Current.CancellationToken));
    }
}
