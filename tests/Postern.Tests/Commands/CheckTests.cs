using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Commands.Output;
using Postern.Machine;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Commands;

public sealed class CheckTests
{
    [Fact]
    public async Task Init_writes_a_configuration_that_check_accepts()
    {
        using var run = new CommandRun();
        var directory = Path.Combine(run.Root, "new");

        var init = await CommandRun.ExecuteAsync(["init", directory]);
        var check = await CommandRun.ExecuteAsync(["check", "--config", Path.Combine(directory, "postern.yaml")]);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (init.ExitCode, check.ExitCode));
        Assert.Equal(3, init.Output.Split('\n').Count(static line => line.StartsWith("  postern ", StringComparison.Ordinal)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(directory, "postern-data")));
    }

    [Fact]
    public async Task Every_line_that_init_comments_out_is_a_configuration_too()
    {
        using var run = new CommandRun();
        await CommandRun.ExecuteAsync(["init", run.Data]);
        var lines = File.ReadAllLines(Path.Combine(run.Data, "postern.yaml")).Where(static l => !l.Contains("certificate:", StringComparison.Ordinal) && !l.Contains("key:", StringComparison.Ordinal));
        var uncommented = lines.Select(static line => line.TrimStart() switch
        {
            ['#', ' ', .. var rest] when rest.Contains(':', StringComparison.Ordinal) || rest.TrimStart().StartsWith('-') => $"{line[..line.IndexOf('#', StringComparison.Ordinal)]}{rest}",
            _ => line,
        });
        File.WriteAllLines(run.ConfigFile, uncommented.Where(static l => !l.StartsWith("Postern", StringComparison.Ordinal) && !l.StartsWith("Without", StringComparison.Ordinal)));

        var check = await run.PosternAsync("check");

        Assert.Equal((string.Empty, ExitCode.Ok), (check.Error, check.ExitCode));
        Assert.Contains("smtp://relay.example.net:25", check.Output, StringComparison.Ordinal);
    }

    /// <summary>What is right and does nothing is worse than a mistake: nobody hears of it.</summary>
    [Theory]
    [InlineData("delivery: { routes: [{ to: '*' }], suppression: { hard_bounces: true } }", "delivery.suppression.hard_bounces: nobody asks the list that is written: put reject_suppressed_recipient first in rules.recipient")]
    [InlineData("delivery: { routes: [{ to: '*' }], suppression: { ttl: 3d } }", "delivery.suppression.ttl: no address is put on the list: 'hard_bounces: true' beside it is missing")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.example.net' }], tls: { default: dane }, dns: { servers: ['127.0.0.1'] } }", "delivery.tls: it is for mail exchangers, and no mail goes there: route * takes all of it. What a route asks for stands in its via, as ?tls=")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.example.net' }], mx: { allow_networks: [10.0.0.0/8] } }", "delivery.mx: it is for mail exchangers, and no mail goes there: route * takes all of it. What a route asks for stands in its via, as ?tls=")]
    [InlineData("delivery: { routes: [{ to: '*' }, { to: example.net, via: 'smtp://relay.example.net' }], tls: { policies: [{ to: example.com, level: verify }, { to: Example.net, level: verify }] } }", "delivery.tls.policies[1].to: it is for mail exchangers, and mail to Example.net goes by route example.net, which says ?tls= itself")]
    [InlineData("delivery: { routes: [{ to: '*', fallback_after: 5m }] }", "delivery.routes[0].fallback_after: there is no 'fallback' beside it that would take the mail then")]
    [InlineData("delivery: { routes: [{ to: '*' }] }\npools: { spare: { sources: [{ address: 127.0.0.1 }] } }", "pools.spare: no mail leaves from it: neither a route nor a tenant names it")]
    [InlineData("delivery: { routes: [{ to: '*' }], bounces: [{ code: 55, category: a }, { code: 5, category: b }, { code: 550, text: nobody, category: c }] }", "delivery.bounces[2]: it is never asked: delivery.bounces[0] before it fits all that it fits")]
    [InlineData("delivery: { routes: [{ to: '*' }] }\ndkim: { announce: 3d }", "dkim.announce: no key is made by the calendar: 'rotate' beside it is missing, such as 180d")]
    [InlineData("delivery: { routes: [{ to: '*' }] }\nrules: { recipient: [permit_authenticated, reject_unauth_destination, reject_unlisted_recipient] }", "rules.recipient[2]: reject_unlisted_recipient is never asked: reject_unauth_destination before it decides about every recipient")]
    [InlineData("delivery: { routes: [{ to: '*' }], retry: { warn: 6d } }", "delivery.retry.warn: no sender is told that a message waits: it is given up before ('warn' as long as 'give_up' says so on purpose)")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.example.net' }, { to: example.com }], tls: { policies: [{ to: example.net, level: verify }] } }", "delivery.tls.policies[0].to: it is for mail exchangers, and mail to example.net goes by route *, which says ?tls= itself")]
    [InlineData("delivery: { routes: [{ to: '*' }, { to: example.net, from: x, via: 'smtp://relay.example.net' }] }", "delivery.routes[1].from: 'x' is the domain x, and hardly any sender is there: an address or @domain is meant; a login is 'login_is'")]
    [InlineData("listeners: [{ name: mx, listen: '0.0.0.0:2525' }]\ndelivery: { routes: [{ to: '*', via: 'smtp://localhost:2525' }] }", "delivery.routes[0].via: localhost:2525 is this server's own listener mx: mail on this route would come straight back, and fails")]
    [InlineData("domains: [example.org]\ndelivery: { routes: [{ to: '*' }] }", "domains[0]: mail to example.org is taken from anyone, and no route is to it, so that it goes where its MX records lead: say in delivery.routes which server has its mailboxes, or { to: example.org, via: mx } where that is meant")]
    public async Task A_setting_that_does_nothing_as_it_stands_is_warned_of(string yaml, string warning)
    {
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\n{yaml}\n");

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Contains($": {warning}\n", check.Error, StringComparison.Ordinal);
        Assert.Single(check.Error.Split('\n'), static line => line.StartsWith("warning: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("delivery: { routes: [{ to: '*' }], suppression: { hard_bounces: true, ttl: 3d } }\nrules: { recipient: [reject_suppressed_recipient, permit_authenticated] }")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.example.net' }, { to: example.net }], mx: { allow_networks: [10.0.0.0/8] } }")]
    [InlineData("delivery: { routes: [{ to: '*', via: 'smtp://relay.example.net', from: a@example.org }], mx: { allow_networks: [10.0.0.0/8] } }")]
    [InlineData("delivery: { routes: [{ to: '*' }, { to: example.net, from: a@example.org, via: 'smtp://relay.example.net' }], tls: { policies: [{ to: example.net, level: verify }] } }")]
    [InlineData("delivery: { routes: [{ to: '*' }], bounces: [{ code: 550, text: nobody, category: c }, { code: 55, category: a }, { status: 5.1.1, category: b }] }\ndkim: { rotate: 180d, announce: 3d }")]
    [InlineData("delivery: { routes: [{ to: '*', pool: spare }] }\npools: { spare: { sources: [{ address: 127.0.0.1 }] } }")]
    [InlineData("delivery: { routes: [{ to: '*' }] }\nrules: { recipient: [reject_unlisted_recipient, permit_authenticated, reject_unauth_destination] }")]
    [InlineData("domains: [example.org, sub.example.com]\nlisteners: [{ name: mx, listen: '127.0.0.1:2525' }]\ndelivery: { routes: [{ to: '*', via: 'smtp://127.0.0.1:2526', from: ['<>', localhost, '@example.org'] }, { to: example.org, via: mx }, { to: .example.com, via: 'smtp://127.0.0.2:2525' }], retry: { warn: 5d } }")]
    [InlineData("domains: [example.org]\ndelivery: { routes: [{ to: '*', via: 'smtp://relay.example.net' }] }")]
    public async Task A_setting_that_does_something_is_not_warned_of(string yaml)
    {
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\n{yaml}\n");

        Assert.Equal((string.Empty, ExitCode.Ok), await run.PosternAsync("check") is var check ? (check.Error, check.ExitCode) : default);
    }

    [Fact]
    public async Task Init_overwrites_nothing()
    {
        using var run = new CommandRun("# mine\n");

        var init = await CommandRun.ExecuteAsync(["init", run.Root]);

        Assert.Equal(ExitCode.No, init.ExitCode);
        Assert.Equal("# mine\n", File.ReadAllText(run.ConfigFile));
    }

    [Fact]
    public async Task Check_prints_every_error_and_says_so_by_its_exit_code()
    {
        using var run = new CommandRun("chapters: {}\nlimits: { idle: never }\n");

        var text = await run.PosternAsync("check");
        var json = await run.JsonAsync("check");

        Assert.Equal(ExitCode.Usage, text.ExitCode);
        Assert.Equal(2, text.Error.TrimEnd().Split('\n').Length);
        Assert.False(json.GetProperty("ok").GetBoolean());
        Assert.Equal([(1, 1, "chapters"), (2, 17, "limits.idle")], json.GetProperty("errors").EnumerateArray().Select(static e => (e.GetProperty("line").GetInt32(), e.GetProperty("column").GetInt32(), e.GetProperty("key").GetString()!)));
    }

    [Fact]
    public async Task Files_that_logins_rest_on_are_looked_at()
    {
        using var run = new CommandRun("kerberos: { keytab: none.keytab, realms: [EXAMPLE.ORG] }\nlisteners: [{ name: a, listen: '127.0.0.1:0', client_certificates: request }]\nexternal: { authority: leaf.pem }\n");
        using var leaf = Postern.Testing.TestCertificate.Create("leaf.test");
        File.WriteAllText(Path.Combine(run.Root, "leaf.pem"), leaf.ExportCertificatePem());

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Usage, check.ExitCode);
        Assert.Contains($":3:24: external.authority: {Path.Combine(run.Root, "leaf.pem")} holds a certificate that is no authority: CN=leaf.test", check.Error, StringComparison.Ordinal);
        Assert.Contains($":1:21: kerberos.keytab: the keytab {Path.Combine(run.Root, "none.keytab")} has no usable key of 'smtp': ", check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("smtp://a.example:25?tls=none", "delivery.routes[0].via: the login to a.example goes in clear")]
    [InlineData("smtp://a.example:25?tls=opportunistic", "delivery.routes[0].via: the login to a.example is made over TLS with any certificate")]
    [InlineData("smtp://a.example:25?tls=required", null)]
    [InlineData("smtp://a.example:25", null)]
    [InlineData("smtps://a.example", null)]
    public async Task Row_224_a_login_that_the_configuration_lets_go_in_clear_is_warned_of_at_its_line(string via, string? warning)
    {
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\ndelivery:\n  routes:\n    - {{ to: '*', via: '{via}', login: {{ user: a, password: b }} }}\n");

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        if (warning is null)
            Assert.DoesNotContain("the login to", check.Error, StringComparison.Ordinal);
        else
            Assert.Contains($":4:23: {warning}", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hostname_that_others_will_not_take_is_warned_of_at_its_line()
    {
        using var run = new CommandRun("server:\n  data: data\n  hostname: f3a1b2c4d5e6\n");

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Contains(":3:13: server.hostname: 'f3a1b2c4d5e6' looks like the id of a container", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_directory_that_cannot_be_written_is_warned_of_and_a_change_says_that_it_is_not_in_the_log()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\nlogs: { directory: ../log }\n");
        await File.WriteAllTextAsync(Path.Combine(run.Root, "log"), "a file", TestContext.Current.CancellationToken);

        var check = await run.PosternAsync("check");
        var add = await run.PosternAsync("account", "add", "lisa@example.org");

        Assert.Contains("logs.directory: the log directory ", check.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, add.ExitCode);
        Assert.Contains("1 events of this command are not in the log", add.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_system_than_linux_is_told_what_is_missing_in_one_sentence()
    {
        Assert.Null(OtherSystem.WhyNotServe());
        var problem = OtherSystem.WhyNotServeOn("Windows");
        Assert.StartsWith("serve does not run on Windows: ", problem.What, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.What);
        Assert.Contains("are Linux only", File.ReadAllText(SourceTree.PathOf("README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_will_hold_its_mail_is_warned_of()
    {
        using var run = new CommandRun();

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Contains("held until there is one", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_and_its_key_pass()
    {
        using var run = new CommandRun(Tls);
        using var pair = Pair("mail.example.org", TimeSpan.FromDays(90));
        Write(run, pair, pair);

        Assert.DoesNotContain("certificate", (await run.PosternAsync("check")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other key", "tls.key: the key in {root}/key.pem does not belong to the certificate in {root}/cert.pem", "4:8")]
    [InlineData("RSA key", "tls.key: the key in {root}/key.pem does not belong to the certificate in {root}/cert.pem", "4:8")]
    [InlineData("no certificate file", "tls.certificate: {root}/cert.pem does not exist", "3:16")]
    [InlineData("no key file", "tls.key: {root}/key.pem does not exist", "4:8")]
    [InlineData("certificate is no PEM", "tls.certificate: {root}/cert.pem holds no PEM certificate", "3:16")]
    [InlineData("key is no PEM", "tls.key: {root}/key.pem holds no PEM private key", "4:8")]
    [InlineData("key is encrypted", "tls.key: {root}/key.pem is encrypted with a passphrase", "4:8")]
    public async Task A_certificate_that_cannot_be_used_is_an_error_at_its_key(string what, string expected, string place)
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ntls:\n  certificate: cert.pem\n  key: key.pem\n");
        using var pair = Pair("mail.example.org", TimeSpan.FromDays(90));
        using var other = Pair("mail.example.org", TimeSpan.FromDays(90));
        Write(run, pair, what == "other key" ? other : pair);
        var (certificate, key) = (Path.Combine(run.Root, "cert.pem"), Path.Combine(run.Root, "key.pem"));
        switch (what)
        {
            case "RSA key":
                using (var rsa = RSA.Create(2048))
                    File.WriteAllText(key, rsa.ExportPkcs8PrivateKeyPem());
                break;
            case "no certificate file":
                File.Delete(certificate);
                break;
            case "no key file":
                File.Delete(key);
                break;
            case "certificate is no PEM":
                File.WriteAllText(certificate, "nothing");
                break;
            case "key is no PEM":
                File.WriteAllText(key, "nothing");
                break;
            case "key is encrypted":
                File.WriteAllText(key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
                break;
        }

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Usage, check.ExitCode);
        Assert.Contains($"{run.ConfigFile}:{place}: {expected.Replace("{root}", run.Root, StringComparison.Ordinal)}", check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mail.example.org", -1, "the certificate expired on ")]
    [InlineData("mail.example.org", 5, "the certificate expires on ")]
    [InlineData("other.example.org", 90, "the certificate is not for 'mail.example.org'")]
    public async Task A_certificate_that_clients_will_doubt_is_a_warning(string name, int days, string expected)
    {
        using var run = new CommandRun(Tls);
        using var pair = Pair(name, TimeSpan.FromDays(days));
        Write(run, pair, pair);

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Contains(expected, check.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tiger", "postern.yaml", true)]
    [InlineData("file:secret", "secret", true)]
    [InlineData("file:secret", "secret", false)]
    public async Task A_secret_that_everybody_can_read_is_a_warning(string password, string file, bool isOpen)
    {
        using var run = new CommandRun($"server: {{ data: data }}\ndelivery: {{ routes: [{{ to: '*', via: 'smtps://relay.test', login: {{ user: lisa, password: '{password}' }} }}] }}\n");
        File.WriteAllText(Path.Combine(run.Root, "secret"), "tiger\n");
        var path = Path.Combine(run.Root, file);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | (isOpen ? UnixFileMode.OtherRead : UnixFileMode.None));

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Equal(isOpen, check.Error.Contains($"delivery.routes[0].login.password: the secret in {path} can be read by every user of this machine", StringComparison.Ordinal));
        Assert.Contains("smtps://relay.test, logs in as lisa", check.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("tiger", check.Output + check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_is_an_error()
    {
        using var run = new CommandRun();
        File.WriteAllText(run.Data, string.Empty);

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Usage, check.ExitCode);
        Assert.Contains($"{run.ConfigFile}:1:45: server.data: the data directory {run.Data} is a file", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_too_deep_for_a_socket_is_an_error()
    {
        using var run = new CommandRun($"server: {{ data: {new string('d', 120)} }}\n");

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Usage, check.ExitCode);
        Assert.Contains("is too long for a socket", check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_leaves_nothing_behind()
    {
        using var run = new CommandRun();

        await run.PosternAsync("check");

        Assert.Equal([run.ConfigFile], Directory.GetFileSystemEntries(run.Root));
    }

    [Theory]
    [InlineData("rsa:1024", "warning: {file}:2:21: tls.certificate: this machine's OpenSSL makes no handshake with it: its RSA key has 1024 bits, and the security level asks for 2048; only listeners with ciphers: legacy may show it", ExitCode.Ok)]
    [InlineData("rsa:2048", null, ExitCode.Ok)]
    [InlineData("ec:secp384r1", null, ExitCode.Ok)]
    [InlineData("ec:secp256k1", "tls.certificate: this machine's OpenSSL makes no handshake with it: its key is on the curve secP256k1", ExitCode.Ok)]
    [InlineData("ed25519", "tls.certificate: the certificate in {root}/cert.pem has a key of a kind that cannot be used here: Ed25519", ExitCode.Usage)]
    [InlineData("rsa-pss", "tls.certificate: the certificate in {root}/cert.pem has a key of a kind that cannot be used here: RSA for PSS alone", ExitCode.Usage)]
    public async Task A_key_that_is_too_short_or_of_a_kind_that_is_not_supported_is_told_as_that(string kind, string? finding, int exit)
    {
        using var run = new CommandRun(Tls);
        string[] key = kind.Split(':') switch
        {
            ["rsa", var bits] => ["-newkey", $"rsa:{bits}"],
            ["ec", var curve] => ["-newkey", "ec", "-pkeyopt", $"ec_paramgen_curve:{curve}"],
            _ => ["-newkey", kind],
        };
        var made = await RunningProgram.RunAsync(["openssl", "req", "-x509", "-nodes", .. key, "-keyout", Path.Combine(run.Root, "key.pem"), "-out", Path.Combine(run.Root, "cert.pem"), "-days", "90", "-subj", "/CN=mail.example.org", "-addext", "subjectAltName=DNS:mail.example.org"]);
        Assert.Equal(0, made.ExitCode);

        var check = await run.PosternAsync("check");

        Assert.Equal(exit, check.ExitCode);
        if (finding is null)
            Assert.DoesNotContain("certificate:", check.Error, StringComparison.Ordinal);
        else
            Assert.Contains(finding.Replace("{root}", run.Root, StringComparison.Ordinal).Replace("{file}", run.ConfigFile, StringComparison.Ordinal), check.Error, StringComparison.Ordinal);
    }

    private const string Tls = "server: { hostname: mail.example.org, data: data }\ntls: { certificate: cert.pem, key: key.pem }\n";

    private static X509Certificate2 Pair(string name, TimeSpan validFor)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-30), TimeProvider.System.GetUtcNow() + validFor);
    }

    private static void Write(CommandRun run, X509Certificate2 certificate, X509Certificate2 key)
    {
        File.WriteAllText(Path.Combine(run.Root, "cert.pem"), certificate.ExportCertificatePem());
        using var ec = key.GetECDsaPrivateKey()!;
        var keyFile = Path.Combine(run.Root, "key.pem");
        File.WriteAllText(keyFile, ec.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task What_is_offered_is_told_before_there_is_a_database_and_none_is_made()
    {
        using var run = new CommandRun("""
            server: { hostname: mail.example.org, data: data }
            listeners:
              - { name: apps, listen: ['127.0.0.1:0'] }
              - { name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always, accounts: [users] }
            accounts: [directory, { users: { scanner: 'correct horse' } }]
            """);

        var text = (await run.PosternAsync("check")).Output;

        Assert.Matches("listener apps .*: (SCRAM-SHA-256-PLUS )?SCRAM-SHA-256 PLAIN LOGIN\n", text);
        Assert.Matches("listener devices .*: SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN\n", text);
        Assert.False(File.Exists(Path.Combine(run.Data, "directory.db")));
    }
}
