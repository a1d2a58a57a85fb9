using Postern.Relay.Dkim;
using Postern.Relay.Dkim.Arc;
using Postern.Relay.Dkim.Verification;

namespace Postern.Relay.Tests.Dkim.Arc;

/// <summary>What is sealed, what the seal says, and what is left as it is.</summary>
public sealed class ArcSealerTests
{
    private const string Message = "From: a@far.example\r\nSubject: hello\r\nTo: lisa@example.org\r\n\r\nBody\r\n";

    private static string Unfolded(string fields) => fields.Replace("\r\n\t", " ", StringComparison.Ordinal).Replace("\r\n ", " ", StringComparison.Ordinal);

    private static string Results(string fields) =>
        Unfolded(fields).Split("\r\n").First(static f => f.StartsWith("ARC-Authentication-Results:", StringComparison.Ordinal));

    private static string Seal(string fields) => Unfolded(fields).Split("\r\n")[0];

    [Fact]
    public async Task What_came_from_outside_and_goes_to_others_gets_a_set_in_its_order()
    {
        using var rig = await new ArcRig().WithKeysAsync();

        var made = await rig.DecorateAsync(Message);
        var fields = System.Text.Encoding.ASCII.GetString(made.Fields.Span);

        Assert.Equal(["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"], Unfolded(fields).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(static f => f.Split(':')[0]));
        Assert.StartsWith("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.org; s=", Seal(fields), StringComparison.Ordinal);
        Assert.Equal("ARC-Authentication-Results: i=1; mail.example.org; dkim=none; arc=none smtp.remote-ip=192.0.2.7", Results(fields));
        Assert.Matches("^arc:[a-z0-9-]+\\._domainkey\\.example\\.org$", made.SignedBy);
        Assert.All(fields.Split("\r\n"), static line => Assert.InRange(line.Length, 0, 100));
    }

    public static TheoryData<string> Others() => ["ours", "submitted", "not expanded", "place", "no key", "off", "no author"];

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Everything_else_stays_as_it_is(string which)
    {
        using var rig = await new ArcRig(which == "off" ? new ArcOptions { Seals = false } : null).WithKeysAsync();
        var envelope = which switch
        {
            "ours" => ArcRig.Forwarded(to: "bart@example.org"),
            "submitted" => ArcRig.Forwarded() with { IsInbound = false },
            "not expanded" => ArcRig.Forwarded() with { Expanded = null },
            "place" => ArcRig.Forwarded() with { Expanded = ArcRig.Forwarded().Expanded! with { Places = [0] } },
            "no key" => ArcRig.Forwarded(through: "lisa@example.com"),
            _ => ArcRig.Forwarded(),
        };

        Assert.Empty(await rig.SealAsync(which == "no author" ? "Subject: x\r\n\r\n" : Message, envelope));
        Assert.Empty(rig.Asked);
    }

    [Fact]
    public async Task The_key_of_a_domain_above_or_of_the_one_that_is_named_seals()
    {
        using var rig = await new ArcRig(new ArcOptions { Domain = Postern.Smtp.Grammar.Domain.Parse("example.org") }).WithKeysAsync();

        Assert.Contains("d=example.org;", await rig.SealAsync(Message, ArcRig.Forwarded(through: "lisa@news.example.org")), StringComparison.Ordinal);
        Assert.Contains("d=example.org;", await rig.SealAsync(Message, ArcRig.Forwarded(through: "lisa@example.com")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_messages_own_signatures_are_told_with_what_they_are_worth()
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var message = $"From: lisa@example.org\r\nSubject: hello\r\n\r\nBody\r\n";
        var signed = await rig.Dkim.SignAsync(message);

        Assert.Matches(
            "dkim=pass header.d=example.org header.s=\\S+ header.a=rsa-sha256 header.b=\\S{8,10}; dkim=pass header.d=example.org header.s=\\S+ header.a=ed25519-sha256",
            Results(await rig.SealAsync(signed + message)));
        Assert.Contains("dkim=fail (the body was changed)", Results(await rig.SealAsync(signed + message + "more\r\n")), StringComparison.Ordinal);
        Assert.Contains("dkim=fail (the header was changed", Results(await rig.SealAsync(signed + message.Replace("hello", "bye", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Contains("dkim=fail (the header was changed", Results(await rig.SealAsync("Subject: another\r\n" + signed + message)), StringComparison.Ordinal);
    }

    /// <summary>Its two signatures, by the keys that stand there; the RSA one as it was signed.</summary>
    [Fact]
    public async Task The_example_of_RFC_8463_verifies()
    {
        const string Text = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
            + " subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
            + "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
            + "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
        using var rig = await new ArcRig().WithKeysAsync();
        rig.Records["brisbane._domainkey.football.example.com"] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

        Assert.Contains("dkim=pass header.d=football.example.com header.s=brisbane header.a=ed25519-sha256 header.b=\"/gCrinpc\";", Results(await rig.SealAsync(Text)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DkimCanonicalization.Simple, DkimCanonicalization.Simple)]
    [InlineData(DkimCanonicalization.Simple, DkimCanonicalization.Relaxed)]
    [InlineData(DkimCanonicalization.Relaxed, DkimCanonicalization.Simple)]
    public async Task Both_canonicalizations_verify(DkimCanonicalization header, DkimCanonicalization body)
    {
        using var rig = await new ArcRig().WithKeysAsync();
        rig.Dkim.Signer.Apply(new DkimOptions { Header = header, Body = body });
        const string Text = "FROM:\tlisa@example.org \r\nSubject: two\r\n  lines\r\n\r\nBody  with   space \r\n\r\n\r\n";
        var signed = await rig.Dkim.SignAsync(Text);

        Assert.Equal(2, Results(await rig.SealAsync(signed + Text)).Split("dkim=pass").Length - 1);
        Assert.DoesNotContain("dkim=pass", Results(await rig.SealAsync(signed + Text.Replace("Body ", "Bodies ", StringComparison.Ordinal))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, "Body more\r\n", "pass")]
    [InlineData(4, "Bad\r\n", "fail")]
    [InlineData(4000, "Body\r\n", "fail")]
    public async Task Of_a_body_with_a_length_only_so_much_is_verified(int length, string body, string result)
    {
        using var rig = await new ArcRig().WithKeysAsync();
        using var key = System.Security.Cryptography.RSA.Create(2048);
        rig.Records["l._domainkey.far.example"] = $"p={Convert.ToBase64String(key.ExportRSAPublicKey())}";
        var hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData("Body"u8));
        var field = $"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=far.example; s=l; l={length}; h=from; bh={hash}; b=";
        var signed = System.Text.Encoding.ASCII.GetBytes($"from:a@far.example\r\n{field.Replace("DKIM-Signature: ", "dkim-signature:", StringComparison.Ordinal)}");
        var value = Convert.ToBase64String(key.SignData(signed, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1));

        Assert.Contains($"dkim={result}", Results(await rig.SealAsync($"{field}{value}\r\nFrom: a@far.example\r\n\r\n{body}")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v=DKIM1; p=", "dkim=permerror (the key is revoked)")]
    [InlineData("v=DKIM1; k=rsa; p=AAAA", "dkim=permerror (the key cannot be used)")]
    [InlineData("v=DKIM1; k=rsa; s=tlsrpt; p=AAAA", "dkim=permerror (the key is not for this)")]
    [InlineData("v=spf1 -all", "dkim=permerror (no key record)")]
    [InlineData("", "dkim=temperror (DNS does not answer)")]
    [InlineData(null, "dkim=temperror (no key in time)")]
    [InlineData("missing", "dkim=permerror (no key)")]
    public async Task What_dns_has_in_the_place_of_a_key_is_told(string? record, string result)
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var message = "From: lisa@example.org\r\n\r\nBody\r\n";
        var signed = await rig.Dkim.SignAsync(message);
        foreach (var name in rig.Records.Keys.ToArray())
        {
            if (record == "missing")
                rig.Records.Remove(name);
            else
                rig.Records[name] = record;
        }

        Assert.Contains(result, Results(await rig.SealAsync(signed + message)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v=2; a=rsa-sha256; d=far.example; s=x; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=", "no v=1")]
    [InlineData("v=1; a=rsa-sha1; d=far.example; s=x; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=", "an algorithm that is not used any more, or not known")]
    [InlineData("v=1; a=rsa-sha256; d=far.example; s=x; h=to; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=", "From is not signed")]
    [InlineData("v=1; a=rsa-sha256; d=a b(; s=x; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=", "no domain or selector")]
    [InlineData("v=1; a=rsa-sha256; d=far.example; i=@near.example; s=x; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=", "i= is not of the domain")]
    [InlineData("v=1; v=1", "the field is no list of tags")]
    public async Task A_signature_that_cannot_be_read_is_neutral_and_asks_for_no_key(string signature, string why)
    {
        using var rig = await new ArcRig().WithKeysAsync();

        Assert.Contains($"dkim=neutral ({why})", Results(await rig.SealAsync($"DKIM-Signature: {signature}\r\n" + Message)), StringComparison.Ordinal);
        Assert.Empty(rig.Asked);
    }

    [Fact]
    public async Task A_stranger_has_no_more_than_ten_signatures_looked_at_and_the_body_hashed_in_no_more_than_four_ways()
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var many = string.Concat(Enumerable.Range(0, 30).Select(static i =>
            $"DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=s{i}; l={i}; h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAAAAAAAAA=\r\n"));

        var results = Results(await rig.SealAsync(many + Message));

        Assert.Equal(DkimResults.Most, results.Split("dkim=").Length - 1);
        Assert.Equal(7, results.Split("too many ways to hash the body").Length - 1);
    }

    [Fact]
    public async Task A_second_forward_adds_a_set_that_says_pass_and_a_third_too()
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var message = Message;
        for (var i = 1; i <= 4; i++)
        {
            var set = await rig.SealAsync(message, piece: 7);
            Assert.StartsWith($"ARC-Seal: i={i}; a=rsa-sha256; cv={(i == 1 ? "none" : "pass")};", Seal(set), StringComparison.Ordinal);
            Assert.Contains(i == 1 ? "arc=none" : "arc=pass", Results(set), StringComparison.Ordinal);
            message = $"{set}Received: from here\r\n{message}";
        }
    }

    public static TheoryData<string, string> Tampered() => new()
    {
        { "body", "the body was changed" },
        { "subject", "the header was changed" },
        { "results", "seal 2 does not verify" },
        { "twice", "instance 2 has two of ARC-Seal" },
        { "gap", "instance 1 is not whole" },
        { "cv", "seal 2 has a wrong cv=" },
        { "failed below", "seal 1 has a wrong cv=" },
        { "h", "seal 2 has h=" },
        { "instance", "an ARC-Seal without a right instance" },
        { "key", "seal 2: the key is revoked" },
    };

    /// <summary>Of each only the new set is sealed (RFC 8617 §5.1.2), and whoever is next leaves it so.</summary>
    [Theory]
    [MemberData(nameof(Tampered))]
    public async Task A_chain_that_was_broken_is_sealed_as_failed_and_never_again(string how, string why)
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var first = await rig.SealAsync(Message);
        var second = await rig.SealAsync(first + Message);
        var seal = second[..second.IndexOf("ARC-Message", StringComparison.Ordinal)];
        var broken = how switch
        {
            "body" => second + first + Message + "more\r\n",
            "subject" => second + first + Message.Replace("hello", "bye", StringComparison.Ordinal),
            "results" => second + first.Replace("dkim=none", "dkim=pass", StringComparison.Ordinal) + Message,
            "twice" => seal + second + first + Message,
            "gap" => second + Message,
            "cv" => second.Replace("cv=pass", "cv=none", StringComparison.Ordinal) + first + Message,
            "failed below" => second + first.Replace("cv=none", "cv=fail", StringComparison.Ordinal) + Message,
            "h" => second.Replace("cv=pass", "h=from; cv=pass", StringComparison.Ordinal) + first + Message,
            "instance" => "ARC-Seal: i=51; a=rsa-sha256; cv=pass; d=example.org; s=x; b=AAAA\r\n" + second + first + Message,
            _ => second + first + Message,
        };
        if (how == "key")
        {
            var signature = second[second.IndexOf("ARC-Message", StringComparison.Ordinal)..];
            rig.Records["gone._domainkey.example.org"] = "v=DKIM1; p=";
            broken = seal.Replace($"s={rig.Dkim.Keys.First(static k => k.Kind == DkimAlgorithm.Rsa).Selector};", "s=gone;", StringComparison.Ordinal) + signature + first + Message;
        }

        var third = await rig.SealAsync(broken);

        Assert.Contains($"arc=fail ({why}", Results(third), StringComparison.Ordinal);
        Assert.StartsWith("ARC-Seal: i=3; a=rsa-sha256; cv=fail;", Seal(third), StringComparison.Ordinal);
        Assert.Empty(await rig.SealAsync(third + broken));
    }

    [Fact]
    public async Task Where_a_key_of_the_chain_cannot_be_had_now_nothing_is_said_that_would_end_it()
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var first = await rig.SealAsync(Message);
        foreach (var name in rig.Records.Keys.ToArray())
            rig.Records[name] = string.Empty;

        Assert.Empty(await rig.SealAsync(first + Message));
    }

    [Fact]
    public async Task Fifty_sets_are_a_chain_and_get_no_further_one()
    {
        using var rig = await new ArcRig().WithKeysAsync();
        var message = Message;
        for (var i = 1; i <= ArcChain.MostSets; i++)
        {
            var set = await rig.SealAsync(message);
            Assert.StartsWith($"ARC-Seal: i={i};", Seal(set), StringComparison.Ordinal);
            Assert.Contains(i == 1 ? "arc=none" : "arc=pass", Results(set), StringComparison.Ordinal);
            message = set + message;
        }

        Assert.Empty(await rig.SealAsync(message));
    }

    /// <summary>Whatever a stranger writes is judged, and is no error of this server.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_message_that_was_damaged_anywhere_is_judged(int seed)
    {
        using var rig = await new ArcRig().WithKeysAsync();
        const string Text = "From: lisa@example.org\r\nSubject: hello\r\n\r\nBody\r\n";
        var message = await rig.Dkim.SignAsync(Text) + Text;
        message = await rig.SealAsync(message) + message;
        var random = new Random(seed);
        for (var i = 0; i < 300; i++)
        {
            var damaged = message.ToCharArray();
            for (var count = random.Next(1, 4); count > 0; count--)
                damaged[random.Next(damaged.Length)] = random.Next(3) == 0 ? (char)random.Next(1, 256) : ";=:i0 \r\n\t/"[random.Next(10)];
            var set = await rig.SealAsync(new string(damaged));
            Assert.True(set.Length == 0 || set.StartsWith("ARC-Seal: i=", StringComparison.Ordinal), set);
        }
    }

    [Fact]
    public async Task A_client_with_an_ipv6_address_stands_in_quotes()
    {
        using var rig = await new ArcRig().WithKeysAsync();

        Assert.EndsWith(" smtp.remote-ip=\"2001:db8::7\"", Results(await rig.SealAsync(Message, ArcRig.Forwarded() with { Client = System.Net.IPAddress.Parse("2001:db8::7") })), StringComparison.Ordinal);
    }
}
