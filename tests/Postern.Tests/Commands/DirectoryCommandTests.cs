using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class DirectoryCommandTests
{
    [Fact]
    public async Task A_network_for_an_unknown_domain_says_how_to_add_the_domain()
    {
        using var run = new CommandRun();

        var result = await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org");

        Assert.Equal("postern: there is no domain 'example.org'; to add it: postern domain add example.org", result.Error.TrimEnd());
    }

    [Fact]
    public async Task A_suppression_lives_from_add_to_remove_and_says_when_nobody_asks_the_list()
    {
        using var run = new CommandRun();

        var added = await run.PosternAsync("suppression", "add", "Lisa@Example.net", "--tenant", "acme", "--for", "30d", "--reason", "asked for no mail");
        Assert.Equal(ExitCode.Ok, added.ExitCode);
        Assert.Contains("reject_suppressed_recipient", added.Error, StringComparison.Ordinal);
        Assert.Contains("asked for no mail", (await run.PosternAsync("suppression", "list", "--to", "example.net")).Output, StringComparison.Ordinal);
        Assert.Equal("lisa@example.net", (await run.JsonAsync("suppression", "list"))[0].GetProperty("address").GetString());

        var wrong = await run.PosternAsync("suppression", "remove", "lisa@example.net");
        Assert.Equal(ExitCode.No, wrong.ExitCode);
        Assert.Contains("--tenant acme", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("suppression", "remove", "lisa@example.net", "--tenant", "acme")).ExitCode);
        Assert.Equal(0, (await run.JsonAsync("suppression", "list")).GetArrayLength());
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("suppression", "add", "lisa@example.net", "--for", "soon")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("suppression", "add", "not an address")).ExitCode);
    }

    [Fact]
    public async Task A_complaint_counts_where_the_log_knows_the_message_and_names_its_recipient_and_tenant()
    {
        using var run = new CommandRun();
        await run.PosternAsync("suppression", "list");
        var id = Postern.Relay.Envelopes.QueueId.New(TimeProvider.System).ToString();
        await using (var log = new Relay.Audit.JsonLinesAuditLog(new Relay.Audit.AuditLogOptions { Directory = Path.Combine(run.Data, "logs") }, TimeProvider.System))
            log.Append(new Relay.Audit.Events.AcceptedEvent(TimeProvider.System.GetUtcNow(), new Relay.Audit.Events.EventOrigin("s", "submission", "192.0.2.1") { Tenant = "acme" }, id, "news@example.org", ["lisa@example.net"], 100));
        string Complaint(string about) => $"""
            From: fbl@there.test
            Content-Type: multipart/report; report-type=feedback-report;
             boundary="part"

            --part
            Content-Type: text/plain

            A complaint.
            --part
            Content-Type: message/feedback-report

            Feedback-Type: abuse
            User-Agent: there/1

            --part
            Content-Type: message/rfc822

            Received: from app ([192.0.2.1]) by mail.example.org with ESMTP id {about};
             Sun, 29 Nov 2026 12:00:00 +0000
            Subject: news

            x
            --part--
            """;

        Assert.Equal(65, (await run.WithInputAsync(Complaint(Postern.Relay.Envelopes.QueueId.New(TimeProvider.System).ToString()), "suppression", "intake")).ExitCode);
        Assert.Equal(65, (await run.WithInputAsync("Subject: hello\n\nno report\n", "suppression", "intake")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.WithInputAsync(Complaint(id), "suppression", "intake")).ExitCode);
        var entry = (await run.JsonAsync("suppression", "list"))[0];
        Assert.Equal(("lisa@example.net", "acme"), (entry.GetProperty("address").GetString(), entry.GetProperty("tenant").GetString()));
    }

    [Fact]
    public async Task An_account_lives_from_add_to_remove()
    {
        using var run = new CommandRun();

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "add", "Lisa@Example.org", "--domain", "example.net")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("account", "add", "lisa@example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "grant", "lisa@example.org", "--address", "news@example.com")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "revoke", "lisa@example.org", "--domain", "example.net")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "disable", "lisa@example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "disable", "lisa@example.org")).ExitCode);

        var account = await run.JsonAsync("account", "show", "lisa@example.org");
        Assert.Equal("lisa@example.org", account.GetProperty("name").GetString());
        Assert.False(account.GetProperty("enabled").GetBoolean());
        Assert.Equal(["lisa@example.org", "news@example.com"], account.GetProperty("addresses").EnumerateArray().Select(static a => a.GetString()!));
        Assert.Empty(account.GetProperty("domains").EnumerateArray());

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "enable", "lisa@example.org")).ExitCode);
        Assert.Contains("enabled", (await run.PosternAsync("account", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "remove", "lisa@example.org")).ExitCode);
        Assert.Equal(0, (await run.JsonAsync("account", "list")).GetArrayLength());
        Assert.Equal(ExitCode.No, (await run.PosternAsync("account", "show", "lisa@example.org")).ExitCode);
    }

    [Fact]
    public async Task A_generated_secret_is_printed_once_and_only_then()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");

        var added = await run.JsonAsync("credential", "add", "app", "--generate", "--label", "web-1", "--expires", "90d");
        var secret = added.GetProperty("secret").GetString()!;
        var shown = await run.PosternAsync("account", "show", "app");
        var listed = await run.PosternAsync("credential", "list", "app", "--json");

        Assert.True(secret.Length >= 20);
        Assert.Contains("web-1", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, shown.Output + shown.Error + listed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("credential", "revoke", "app", "web-1")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("credential", "revoke", "app", "web-1")).ExitCode);
    }

    [Fact]
    public async Task A_typed_password_comes_from_standard_input_and_is_never_shown()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");

        var added = await run.WithInputAsync("correct horse battery\n", "credential", "add", "app", "--password-stdin");
        var empty = await run.WithInputAsync(string.Empty, "credential", "add", "app", "--password-stdin");
        var weak = await run.WithInputAsync("short\n", "credential", "add", "app", "--password-stdin");

        Assert.Equal((ExitCode.Ok, ExitCode.Usage, ExitCode.Usage), (added.ExitCode, empty.ExitCode, weak.ExitCode));
        Assert.DoesNotContain("horse", added.Output + added.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("short\n", weak.Output + weak.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Domains_and_networks_are_added_listed_and_removed()
    {
        using var run = new CommandRun();

        Assert.Equal(ExitCode.No, (await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("domain", "add", "example.org", "--accept")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("network", "add", "192.0.2.1/24", "--domain", "example.org")).ExitCode);

        var domain = await run.JsonAsync("domain", "show", "example.org");
        Assert.True(domain.GetProperty("accepts").GetBoolean());
        Assert.Equal("192.0.2.0/24", Assert.Single(domain.GetProperty("networks").EnumerateArray()).GetString());
        Assert.Equal("example.org", (await run.JsonAsync("network", "list"))[0].GetProperty("domain").GetString());

        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("domain", "remove", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("network", "remove", "192.0.2.0/24")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("domain", "remove", "example.org")).ExitCode);
        Assert.Contains("no domains", (await run.PosternAsync("domain", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_database_is_said_in_two_lines()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        File.WriteAllText(Path.Combine(run.Data, "directory.db"), new string('x', 8192));

        var result = await run.PosternAsync("account", "list");

        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd().Split('\n').Length);
        Assert.Contains("directory.db", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_says_what_became_of_a_change()
    {
        using var run = new CommandRun();

        var missing = await run.JsonAsync("account", "disable", "nobody");

        Assert.Equal((false, "notFound"), (missing.GetProperty("ok").GetBoolean(), missing.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task A_second_credential_is_told_how_many_remain_valid()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");
        var first = await run.PosternAsync("credential", "add", "app", "--label", "web-1");
        var second = await run.PosternAsync("credential", "add", "app");
        var third = await run.PosternAsync("credential", "add", "app", "--label", "web-3");
        var taken = await run.PosternAsync("credential", "add", "app", "--label", "web-3");

        Assert.DoesNotContain("still valid", first.Output, StringComparison.Ordinal);
        Assert.Contains("; 1 more is still valid: web-1 (to take one away: postern credential revoke app web-1)", second.Output, StringComparison.Ordinal);
        Assert.Contains("; 2 more are still valid: web-1, #2", third.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, taken.ExitCode);
        Assert.Contains("postern credential replace app web-3", taken.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replace_puts_a_secret_in_the_place_of_another_with_its_label_and_end()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");
        await run.WithInputAsync("old-password-1\n", "credential", "add", "app", "--password-stdin", "--label", "web-1", "--expires", "90d");
        var before = (await run.JsonAsync("account", "show", "app")).GetProperty("credentials")[0];

        var result = await run.WithInputAsync("new-password-1\n", "credential", "replace", "app", "--password-stdin");

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains("credential web-1 of account app is valid in the place of web-1", result.Output, StringComparison.Ordinal);
        var after = Assert.Single((await run.JsonAsync("account", "show", "app")).GetProperty("credentials").EnumerateArray());
        Assert.Equal(("web-1", before.GetProperty("expiresAt").GetString()), (after.GetProperty("label").GetString(), after.GetProperty("expiresAt").GetString()));
        Assert.NotEqual(before.GetProperty("id").GetInt64(), after.GetProperty("id").GetInt64());
        Assert.Equal(ExitCode.No, (await run.WithInputAsync("old-password-1\n", "auth", "test", "app")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.WithInputAsync("new-password-1\n", "auth", "test", "app")).ExitCode);
    }

    [Fact]
    public async Task Replace_that_cannot_be_done_takes_nothing_away()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");
        Assert.Contains("has no credential", (await run.PosternAsync("credential", "replace", "app")).Error, StringComparison.Ordinal);
        await run.PosternAsync("credential", "add", "app", "--label", "web-1");
        await run.PosternAsync("credential", "add", "app", "--label", "web-2");

        var which = await run.PosternAsync("credential", "replace", "app");
        var none = await run.PosternAsync("credential", "replace", "app", "web-9");
        var taken = await run.PosternAsync("credential", "replace", "app", "web-1", "--label", "web-2");
        var weak = await run.WithInputAsync("short\n", "credential", "replace", "app", "web-1", "--password-stdin");

        Assert.Equal((ExitCode.Usage, ExitCode.No, ExitCode.No, ExitCode.Usage), (which.ExitCode, none.ExitCode, taken.ExitCode, weak.ExitCode));
        Assert.Contains("say which: web-1, web-2", which.Error, StringComparison.Ordinal);
        Assert.Equal(["web-1", "web-2"], (await run.JsonAsync("account", "show", "app")).GetProperty("credentials").EnumerateArray().Select(static c => c.GetProperty("label").GetString()!));
    }
}
