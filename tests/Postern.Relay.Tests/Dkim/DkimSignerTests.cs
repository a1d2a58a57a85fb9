using Dapper;
using Postern.Relay.Delivery;
using Postern.Relay.Dkim;

namespace Postern.Relay.Tests.Dkim;

/// <summary>Which messages are signed, and by which key.</summary>
public sealed class DkimSignerTests
{
    private const string Message = "From: lisa@example.org\r\nTo: bart@example.net\r\n\r\nHello.\r\n";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_key_nothing_is_put_above_a_message()
    {
        using var rig = new DkimRig();
        Assert.Equal(string.Empty, await rig.SignAsync(Message));
        rig.Commands.Create(DkimRig.Domain, selector: null, algorithm: null, imported: null);
        Assert.Equal(string.Empty, await rig.SignAsync(Message));
    }

    [Fact]
    public async Task Both_keys_of_the_authors_domain_sign_and_so_they_do_each_time()
    {
        using var rig = await new DkimRig().WithKeysAsync();

        var signed = await rig.SignAsync(Message);

        Assert.Equal(["a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=p20261129r;", "a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=p20261129e;"], Signatures(signed).Select(static s => s[5..s.IndexOf(" t=", StringComparison.Ordinal)]));
        Assert.All(Signatures(signed), static s => Assert.Contains("t=1795953600; h=From:From:Subject:To:To:Date:Message-ID:Cc:Reply-To:MIME-Version:Content-Type:Content-Transfer-Encoding;", s, StringComparison.Ordinal));
        Assert.All(signed.Split("\r\n"), static line => Assert.True(line.Length <= 78, line));
        Assert.Equal(signed, await rig.SignAsync(Message));
    }

    [Fact]
    public async Task A_key_that_is_made_and_put_to_use_counts_for_the_next_message()
    {
        using var rig = await new DkimRig().WithKeysAsync("example.com");
        Assert.Equal(string.Empty, await rig.SignAsync(Message));
        await rig.WithKeysAsync();
        Assert.Equal(2, Signatures(await rig.SignAsync(Message)).Count);
        rig.Commands.Remove(DkimRig.Domain, selector: null);
        Assert.Equal(string.Empty, await rig.SignAsync(Message));
    }

    [Fact]
    public async Task A_domain_without_a_key_is_signed_for_by_the_one_above_it()
    {
        using var rig = await new DkimRig().WithKeysAsync();
        Assert.All(Signatures(await rig.SignAsync(Message.Replace("lisa@", "lisa@News.", StringComparison.Ordinal))), static s => Assert.Contains(" d=example.org;", s, StringComparison.Ordinal));
        Assert.Equal(string.Empty, await rig.SignAsync(Message.Replace("lisa@", "lisa@not", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("From: lisa@example.org\r\nFrom: bart@example.net\r\n\r\n")]
    [InlineData("From: lisa@example.net\r\n\r\n")]
    [InlineData("From: friends: lisa@example.org;\r\n\r\n")]
    [InlineData("From: lisa\r\n\r\n")]
    [InlineData("Subject: x\r\n\r\n")]
    public async Task Who_is_no_author_of_the_domain_is_not_signed_for(string content)
    {
        using var rig = await new DkimRig().WithKeysAsync();
        Assert.Equal(string.Empty, await rig.SignAsync(content));
    }

    [Fact]
    public async Task Neither_a_strangers_mail_nor_that_of_a_login_that_names_another_author_is_signed_for_the_author()
    {
        using var rig = await new DkimRig().WithKeysAsync();
        Assert.Equal(string.Empty, await rig.SignAsync(Message, DkimRig.Envelope() with { IsInbound = true }));
        Assert.Equal(string.Empty, await rig.SignAsync(Message, DkimRig.Envelope() with { HasForeignAuthor = true }));
    }

    [Fact]
    public async Task Mail_of_other_authors_is_signed_by_the_domain_of_the_tenant_or_the_login()
    {
        var options = new DkimOptions
        {
            Fallback = [new DkimFallback("tenant.test", ["acme"], []), new DkimFallback("nokeys.test", [], []), new DkimFallback("login.test", [], ["robot"])],
        };
        using var rig = new DkimRig(options);
        foreach (var domain in new[] { "tenant.test", "login.test", "example.org" })
            await rig.WithKeysAsync(domain);
        var foreign = Message.Replace("example.org", "example.com", StringComparison.Ordinal);

        Assert.Contains(" d=tenant.test;", await rig.SignAsync(foreign, DkimRig.Envelope(tenant: "acme")), StringComparison.Ordinal);
        Assert.Contains(" d=login.test;", await rig.SignAsync(foreign, DkimRig.Envelope("Robot", "zeta")), StringComparison.Ordinal);
        Assert.Contains(" d=login.test;", await rig.SignAsync(Message, DkimRig.Envelope("robot") with { HasForeignAuthor = true }), StringComparison.Ordinal);
        Assert.Contains(" d=example.org;", await rig.SignAsync(Message, DkimRig.Envelope("robot", "acme")), StringComparison.Ordinal);
        Assert.Equal(string.Empty, await rig.SignAsync(foreign));
    }

    [Fact]
    public async Task A_domain_whose_mail_must_be_signed_has_none_that_leaves_without()
    {
        using var rig = new DkimRig(new DkimOptions { Required = ["example.org"] });
        Assert.Contains("dkim.required names example.org", (await Assert.ThrowsAsync<DecorationUnavailableException>(() => rig.SignAsync(Message))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DecorationUnavailableException>(() => rig.SignAsync(Message.Replace("lisa@", "lisa@news.", StringComparison.Ordinal)));
        Assert.Equal(string.Empty, await rig.SignAsync(Message.Replace("lisa@", "lisa@not", StringComparison.Ordinal)));
        await rig.WithKeysAsync();
        Assert.Equal(2, Signatures(await rig.SignAsync(Message)).Count);
    }

    [Fact]
    public async Task A_key_that_cannot_be_used_is_told_of_once_and_the_other_signs_and_without_another_the_message_waits()
    {
        using var rig = await new DkimRig().WithKeysAsync();
        Damage(rig, "ed25519");
        Assert.Contains("a=rsa-sha256;", Assert.Single(Signatures(await rig.SignAsync(Message))), StringComparison.Ordinal);
        await rig.SignAsync(Message);
        Assert.StartsWith("dkim_key_unusable: the DKIM key p20261129e of example.org cannot be used", Assert.Single(rig.Told), StringComparison.Ordinal);

        Damage(rig, "rsa");
        var waits = await Assert.ThrowsAsync<DecorationUnavailableException>(() => rig.SignAsync(Message));
        Assert.StartsWith("not sent unsigned: the DKIM key", waits.Message, StringComparison.Ordinal);
        Assert.NotNull(OwnShortage.SurroundingsOf(waits));
    }

    [Fact]
    public async Task While_the_directory_cannot_be_read_what_was_known_signs_on_and_what_was_not_waits()
    {
        using var rig = await new DkimRig().WithKeysAsync();
        await rig.WithKeysAsync("example.com");
        var signed = await rig.SignAsync(Message);

        rig.Directory.Dispose();

        Assert.Equal(signed, await rig.SignAsync(Message));
        var waits = await Assert.ThrowsAsync<DecorationUnavailableException>(() => rig.SignAsync(Message.Replace("example.org", "example.com", StringComparison.Ordinal)));
        Assert.StartsWith("not sent unsigned: whether example.com has DKIM keys cannot be read", waits.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_there_never_was_a_key_a_directory_that_cannot_be_read_stops_no_mail()
    {
        using var rig = new DkimRig();
        await rig.SignAsync(Message);
        rig.Directory.Dispose();
        Assert.Equal(string.Empty, await rig.SignAsync(Message));
    }

    [Fact]
    public async Task Fields_of_other_decorators_are_signed_as_they_stand_above_the_content()
    {
        using var rig = await new DkimRig().WithKeysAsync();
        Assert.Contains("h=From:From:Subject:Subject:", await rig.SignAsync(System.Text.Encoding.ASCII.GetBytes(Message), before: "Subject: x\r\n"), StringComparison.Ordinal);
    }

    private static void Damage(DkimRig rig, string algorithm) =>
        rig.Directory.Write(sql => sql.Execute("update dkim_keys set private_key = x'00' where algorithm = @algorithm", new { algorithm }));

    private static List<string> Signatures(string header) =>
        [.. header.Replace("\r\n ", " ", StringComparison.Ordinal).Replace(": ", ":", StringComparison.Ordinal).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(static s => s["DKIM-Signature:".Length..])];
}
