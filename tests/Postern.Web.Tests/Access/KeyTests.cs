using System.Net;
using System.Text;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>What a program's key opens, and what it does not.</summary>
public sealed class KeyTests : IDisposable
{
    private static readonly IPAddress Client = IPAddress.Parse("192.0.2.7");

    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task A_key_is_shown_once_and_gives_what_it_was_made_with()
    {
        rig.Accounts.Accounts.Add(new AddAccount("shop", [], []) { Tenant = "acme" });
        var key = Add(new AddKey("shop", Scopes.MessagesSend | Scopes.MessagesRead) { Account = "shop", Networks = ["192.0.2.0/24", "2001:db8::/32"] });

        Assert.Matches("^pst_[0-9a-z]{8}_[0-9a-z]{52}_[0-9a-f]{8}$", key);
        var caller = await FindAsync(key);
        Assert.Equal((Scopes.MessagesSend | Scopes.MessagesRead, "shop", "acme", AdminDoor.Api, "192.0.2.7"), (caller!.Scopes, caller.Account, caller.Tenant, caller.Door, caller.Client));
        Assert.Null(caller.ProvedAt);
        Assert.Equal($"key {key.Split('_')[1]}", caller.Name);
        Assert.NotNull(await FindAsync(key, IPAddress.Parse("2001:db8::1")));
        Assert.NotNull(await FindAsync(key, IPAddress.Parse("::ffff:192.0.2.9")));
    }

    [Fact]
    public async Task What_is_not_quite_the_key_is_nothing()
    {
        var key = Add(new AddKey("grafana", Scopes.MetricsRead));
        Assert.NotNull(await FindAsync(key));
        var (head, crc) = (key[..^8], key[^8..]);
        var wrong = new List<string> { head + (crc[0] == '0' ? '1' : '0') + crc[1..], key[..^1], key + "0", key.ToUpperInvariant(), " " + key, key + "\n", string.Empty, "pst___", new string('_', key.Length) };
        for (var i = 4; i < key.Length; i += 7)
            wrong.Add(key[..i] + (key[i] == 'a' ? 'b' : 'a') + key[(i + 1)..]);
        foreach (var text in wrong)
            Assert.Null(await FindAsync(text));

        // Well made, of a right id, and with another secret: only the digest tells.
        var (other, _) = KeyText.Generate();
        Assert.Null(await FindAsync(WithCrc($"pst_{key.Split('_')[1]}_{KeyText.Generate().Text.Reveal().Split('_')[2]}")));
        Assert.False(other.Matches(new byte[32]));
        Assert.Null(await FindAsync(KeyText.Generate().Text.Reveal()));
    }

    [Fact]
    public async Task It_is_over_after_a_year_or_when_it_was_said()
    {
        var (usual, brief) = (Add(new AddKey("usual", Scopes.MetricsRead)), Add(new AddKey("brief", Scopes.MetricsRead) { ExpiresAfter = TimeSpan.FromHours(1) }));
        rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await FindAsync(brief));
        rig.Clock.Advance(TimeSpan.FromDays(364));
        Assert.NotNull(await FindAsync(usual));
        rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Null(await FindAsync(usual));
        Assert.All(rig.Queries.Keys(), static one => Assert.True(one.Expired));
    }

    [Fact]
    public async Task From_another_network_it_is_as_good_as_none_and_the_log_says_why()
    {
        var key = Add(new AddKey("office", Scopes.MetricsRead) { Networks = ["192.0.2.0/24"] });
        Assert.Null(await FindAsync(key, IPAddress.Parse("198.51.100.1")));
        Assert.Null(await FindAsync(key, IPAddress.Parse("2001:db8::1")));
        var refused = rig.Log.Events.OfType<ServerEvent>().First(static e => e.Event == "key_refused");
        Assert.Equal($"key {key.Split('_')[1]} (office) from 198.51.100.1: it is good from 192.0.2.0/24, and not from 198.51.100.1", refused.Detail);
        Assert.True(refused.Cause!.Value.IsStranger);
    }

    [Fact]
    public async Task It_ends_with_its_account_and_when_it_is_removed_by_whichever_process()
    {
        using var elsewhere = rig.Open();
        rig.Accounts.Accounts.Add(new AddAccount("shop", [], []) { Tenant = "acme" });
        rig.Accounts.Accounts.Add(new AddAccount("gone", [], []));
        var (shop, gone, plain) = (Add(new AddKey("shop", Scopes.MessagesSend) { Account = "shop", Tenant = "acme" }), Add(new AddKey("gone", Scopes.MessagesSend) { Account = "gone" }), Add(new AddKey("plain", Scopes.StatusRead)));
        Assert.NotNull(await FindAsync(shop));
        var accounts = new DirectoryCommands(elsewhere, rig.Clock).Accounts;
        accounts.Disable("shop");
        Assert.Null(await FindAsync(shop));
        accounts.Enable("shop");
        Assert.NotNull(await FindAsync(shop));
        accounts.Revoke(new ChangeGrants("shop", [], []) { Tenant = "acme" });
        Assert.Null(await FindAsync(shop));
        accounts.Remove("gone");
        accounts.Add(new AddAccount("gone", [], []));
        Assert.Null(await FindAsync(gone));
        Assert.IsType<AdminOutcome.Done>(rig.CommandsOn(elsewhere).Keys.Remove("plain"));
        Assert.Null(await FindAsync(plain));
        Assert.IsType<AdminOutcome.NotFound>(rig.Commands.Keys.Remove("plain"));
    }

    [Fact]
    public async Task The_last_use_is_known_in_ten_seconds()
    {
        var key = Add(new AddKey("grafana", Scopes.MetricsRead));
        await rig.Keys.FindAsync(key, Client, "curl/8.0 " + new string('x', 500), AccessRig.Ct);
        Assert.Null(rig.Queries.Keys()[0].LastUse);
        rig.Clock.Advance(Keys.Every);
        var use = rig.Queries.Keys()[0].LastUse!;
        Assert.Equal((rig.Clock.GetUtcNow() - Keys.Every, "192.0.2.7", 200), (use.At, use.Client, use.Agent!.Length));

        // What was refused is no use.
        await rig.Keys.FindAsync(key[..^1], IPAddress.Parse("198.51.100.1"), "x", AccessRig.Ct);
        rig.Keys.Write();
        Assert.Equal("192.0.2.7", rig.Queries.Keys()[0].LastUse!.Client);
    }

    [Theory]
    [InlineData("a label has", "", "metrics.read", null, null)]
    [InlineData("begins like a key", "pst_abcdefgh_secretsecret", "metrics.read", null, null)]
    [InlineData("needs a scope", "x", "", null, null)]
    [InlineData("needs an account", "x", "messages.send", null, null)]
    [InlineData("there is no account 'shpo'; did you mean 'shop'?", "x", "messages.send", "shpo", null)]
    [InlineData("account shop is not of tenant acme", "x", "messages.send", "shop", "acme")]
    [InlineData("owner is of the whole server", "x", "owner messages.read", null, "acme")]
    [InlineData("cannot be a tenant", "x", "messages.read", null, "a b")]
    public void What_makes_no_sense_is_refused(string problem, string label, string words, string? account, string? tenant)
    {
        Assert.True(ScopeWords.TryParse(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), out var scopes, out _));
        rig.Accounts.Accounts.Add(new AddAccount("shop", [], []));
        var outcome = rig.Commands.Keys.Add(new AddKey(label, scopes) { Account = account, Tenant = tenant });
        Assert.Contains(problem, outcome.Message, StringComparison.Ordinal);
        Assert.False(outcome.IsChange);
        Assert.Empty(rig.Queries.Keys());
        Assert.Equal("refused", rig.Log.Admin[^1].Changes[0].Field);
        Assert.DoesNotContain("secretsecret", outcome.Message + rig.Log.Admin[^1].Target + rig.Log.Admin[^1].Changes[0].After, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_and_a_life_that_are_none_are_refused_too()
    {
        Assert.Contains("is not a network", rig.Commands.Keys.Add(new AddKey("x", Scopes.MetricsRead) { Networks = ["office"] }).Message, StringComparison.Ordinal);
        Assert.Contains("expires between", rig.Commands.Keys.Add(new AddKey("x", Scopes.MetricsRead) { ExpiresAfter = TimeSpan.FromDays(4_000) }).Message, StringComparison.Ordinal);
        Add(new AddKey("x", Scopes.MetricsRead));
        Assert.IsType<AdminOutcome.AlreadyThere>(rig.Commands.Keys.Add(new AddKey("x", Scopes.MetricsRead)));
    }

    private string Add(AddKey command) => Assert.IsType<KeyIssued>(rig.Commands.Keys.Add(command)).Key.Reveal();

    private async Task<Caller?> FindAsync(string key, IPAddress? client = null) => await rig.Keys.FindAsync(key, client ?? Client, AccessRig.Ct);

    private static string WithCrc(string body)
    {
        var sum = ~0u;
        foreach (var octet in Encoding.ASCII.GetBytes(body))
            sum = System.Numerics.BitOperations.Crc32C(sum, octet);
        return $"{body}_{~sum:x8}";
    }
}
