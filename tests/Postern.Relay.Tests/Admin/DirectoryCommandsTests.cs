using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Tests.Accounts;
using Postern.Sasl;

namespace Postern.Relay.Tests.Admin;

public sealed class DirectoryCommandsTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();

    private DirectoryCommands Commands => fixture.Commands;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void An_account_named_by_an_address_may_send_as_it()
    {
        Is<AdminOutcome.Done>("account lisa@example.com added; it may send as lisa@example.com", Commands.Accounts.Add(new AddAccount("Lisa@Example.com", [], [])));
        Is<AdminOutcome.Done>("may send as bob@example.com, any address of example.org", Commands.Accounts.Add(new AddAccount("bob@example.com", [], ["example.org"])));
        Is<AdminOutcome.Done>("may send as carl@example.com, sales@example.com", Commands.Accounts.Add(new AddAccount("carl@example.com", ["Sales@Example.com"], [])));
        Is<AdminOutcome.Done>("may send as nobody yet: postern account grant printer", Commands.Accounts.Add(new AddAccount("printer", [], [])));
        Assert.Equal(["carl@example.com", "sales@example.com"], fixture.Queries.Account("carl@example.com")!.Addresses);
    }

    [Fact]
    public void An_account_is_added_once_in_whatever_spelling()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Is<AdminOutcome.AlreadyThere>("account lisa exists already", Commands.Accounts.Add(new AddAccount("LISA", ["other@example.com"], [])));
        Assert.Empty(fixture.Queries.Account("lisa")!.Addresses);
    }

    [Theory]
    [InlineData("", "cannot be a login name")]
    [InlineData("li sa", "cannot be a login name")]
    [InlineData("li\nsa", "cannot be a login name")]
    [InlineData("lisa\u200b", "cannot be a login name")]
    public void A_name_that_cannot_log_in_is_refused(string name, string message) =>
        Is<AdminOutcome.Invalid>(message, Commands.Accounts.Add(new AddAccount(name, [], [])));

    [Fact]
    public void Grants_that_are_no_addresses_or_domains_are_refused_and_change_nothing()
    {
        Is<AdminOutcome.Invalid>("'lisa@' is not a mail address", Commands.Accounts.Add(new AddAccount("lisa", ["lisa@"], [])));
        Is<AdminOutcome.Invalid>("'-x-' is not a mail domain", Commands.Accounts.Add(new AddAccount("lisa", [], ["-x-"])));
        Is<AdminOutcome.Invalid>("'[192.0.2.1]' is not a mail domain", Commands.Accounts.Add(new AddAccount("lisa", [], ["[192.0.2.1]"])));
        Assert.Empty(fixture.Queries.Accounts());
    }

    [Fact]
    public void Grants_are_given_and_taken()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Is<AdminOutcome.Done>("may now send as a@example.com, any address of example.org", Commands.Accounts.Grant(new ChangeGrants("Lisa", ["A@example.com"], ["Example.org"])));
        Is<AdminOutcome.AlreadyThere>("already", Commands.Accounts.Grant(new ChangeGrants("lisa", ["a@example.com"], [])));
        Is<AdminOutcome.Done>("may no longer send as a@example.com", Commands.Accounts.Revoke(new ChangeGrants("lisa", ["a@EXAMPLE.com"], [])));
        Is<AdminOutcome.NotFound>("has no grant for a@example.com", Commands.Accounts.Revoke(new ChangeGrants("lisa", ["a@example.com"], [])));
        Is<AdminOutcome.Invalid>("say which", Commands.Accounts.Grant(new ChangeGrants("lisa", [], [])));
        Is<AdminOutcome.Invalid>("say which", Commands.Accounts.Grant(new ChangeGrants("lisa", default, default)));
        Assert.Equal(["example.org"], fixture.Database.FindAccount("lisa")!.Domains);
    }

    [Fact]
    public void A_missing_account_is_named_with_the_nearest_one()
    {
        Commands.Accounts.Add(new AddAccount("lisa@example.com", [], []));
        AdminOutcome[] outcomes =
        [
            Commands.Accounts.Disable("lsia@example.com"), Commands.Accounts.Enable("lisa@example.co"), Commands.Accounts.Remove("lisa@exampel.com"),
            Commands.Accounts.Grant(new ChangeGrants("lisa@example,com", ["a@example.com"], [])), Commands.Credentials.Add(new AddCredential("lissa@example.com")),
            Commands.Credentials.Revoke(new RevokeCredential("isa@example.com")), fixture.Queries.NoSuchAccount("lisa@example.org"),
        ];
        Assert.All(outcomes, o => Is<AdminOutcome.NotFound>("did you mean 'lisa@example.com'?", o));
        Is<AdminOutcome.NotFound>("there is no account 'lisa'; did you mean 'lisa@example.com'?", Commands.Accounts.Disable("lisa"));
        Is<AdminOutcome.NotFound>("there is no account 'bob'", Commands.Accounts.Disable("bob"));
        Assert.DoesNotContain("did you mean", Commands.Accounts.Disable("bob").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Disabling_twice_is_said_so()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Is<AdminOutcome.AlreadyThere>("enabled already", Commands.Accounts.Enable("lisa"));
        Is<AdminOutcome.Done>("account lisa disabled", Commands.Accounts.Disable("Lisa"));
        Is<AdminOutcome.AlreadyThere>("disabled already", Commands.Accounts.Disable("lisa"));
        Is<AdminOutcome.Done>("account lisa enabled", Commands.Accounts.Enable("lisa"));
    }

    [Fact]
    public void Removing_an_account_removes_its_credentials()
    {
        fixture.AddAccount("lisa");
        Commands.Accounts.Remove("lisa");
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Assert.Empty(fixture.Queries.Account("lisa")!.Credentials);
    }

    [Fact]
    public void A_generated_secret_is_shown_once_and_stored_hashed()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        var issued = Assert.IsType<AdminOutcome.Issued>(Commands.Credentials.Add(new AddCredential("Lisa", Label: "printer", ExpiresAfter: TimeSpan.FromDays(90))));
        Assert.Equal("credential printer added to account lisa", issued.Message);
        Assert.Equal(34, issued.Generated!.Reveal().Length);

        var listed = Assert.Single(fixture.Queries.Account("lisa")!.Credentials);
        Assert.Equal(issued.Credential, listed);
        Assert.Equal(("printer", "SCRAM-SHA-256", true, false), (listed.Label, listed.Scheme, listed.Generated, listed.Expired));
        Assert.Equal(fixture.Clock.GetUtcNow().AddDays(90), listed.ExpiresAt);
        fixture.Clock.Advance(TimeSpan.FromDays(90));
        Assert.True(Assert.Single(fixture.Queries.Account("lisa")!.Credentials).Expired);
    }

    [Fact]
    public void A_typed_password_is_stored_at_a_high_cost_and_not_shown()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        var issued = Assert.IsType<AdminOutcome.Issued>(Commands.Credentials.Add(new AddCredential("lisa", new Secret("correct horse"))));
        Assert.Null(issued.Generated);
        Assert.False(issued.Credential.Generated);
        var stored = fixture.Database.Read(sql => Dapper.SqlMapper.QuerySingle<string>(sql, "select secret from credentials"));
        Assert.StartsWith("SCRAM-SHA-256$200000:", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("correct horse", stored, StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_that_makes_no_sense_is_refused()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Is<AdminOutcome.Invalid>("too short: it needs at least 8", Commands.Credentials.Add(new AddCredential("lisa", new Secret("short"))));
        Is<AdminOutcome.Invalid>("expires", Commands.Credentials.Add(new AddCredential("lisa", ExpiresAfter: TimeSpan.Zero)));
        Is<AdminOutcome.Invalid>("expires", Commands.Credentials.Add(new AddCredential("lisa", ExpiresAfter: TimeSpan.MaxValue)));
        Is<AdminOutcome.Invalid>("a label is not a number", Commands.Credentials.Add(new AddCredential("lisa", Label: "#12")));
        Is<AdminOutcome.Invalid>("visible characters", Commands.Credentials.Add(new AddCredential("lisa", Label: "a\tb")));
        Is<AdminOutcome.Invalid>("visible characters", Commands.Credentials.Add(new AddCredential("lisa", Label: "")));
        Commands.Credentials.Add(new AddCredential("lisa", Label: "printer"));
        Is<AdminOutcome.AlreadyThere>("'printer' already", Commands.Credentials.Add(new AddCredential("lisa", Label: "printer")));
        Assert.Single(fixture.Queries.Account("lisa")!.Credentials);
    }

    [Fact]
    public void Credentials_are_bounded_in_number()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        for (var i = 0; i < 32; i++)
            Assert.IsType<AdminOutcome.Issued>(Commands.Credentials.Add(new AddCredential("lisa")));
        Is<AdminOutcome.Invalid>("32 credentials", Commands.Credentials.Add(new AddCredential("lisa")));
    }

    [Fact]
    public void A_credential_is_revoked_by_label_by_number_or_as_the_only_one()
    {
        Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Is<AdminOutcome.NotFound>("has no credential", Commands.Credentials.Revoke(new RevokeCredential("lisa")));
        fixture.AddCredential("lisa", "printer");
        fixture.AddCredential("lisa");
        fixture.AddCredential("lisa", "laptop");
        var number = fixture.Queries.Account("lisa")!.Credentials[1].Id;

        Is<AdminOutcome.Invalid>($"say which: printer, #{number}, laptop", Commands.Credentials.Revoke(new RevokeCredential("lisa")));
        Is<AdminOutcome.NotFound>($"has no credential 'tablet'; it has printer, #{number}, laptop", Commands.Credentials.Revoke(new RevokeCredential("lisa", "tablet")));
        Is<AdminOutcome.Done>("credential printer of account lisa revoked", Commands.Credentials.Revoke(new RevokeCredential("lisa", "printer")));
        Is<AdminOutcome.Done>($"credential #{number} of", Commands.Credentials.Revoke(new RevokeCredential("lisa", $"#{number}")));
        Is<AdminOutcome.Done>("credential laptop of", Commands.Credentials.Revoke(new RevokeCredential("lisa")));
    }

    [Fact]
    public void A_number_of_another_accounts_credential_revokes_nothing()
    {
        fixture.AddAccount("lisa");
        fixture.AddAccount("bob");
        var bobs = fixture.Queries.Account("bob")!.Credentials[0].Id;
        Is<AdminOutcome.NotFound>("has no credential", Commands.Credentials.Revoke(new RevokeCredential("lisa", $"{bobs}")));
        Assert.Single(fixture.Queries.Account("bob")!.Credentials);
    }

    [Fact]
    public void Domains_are_added_accepted_shown_and_removed()
    {
        Is<AdminOutcome.Done>("domain example.com added", Commands.Domains.Add("Example.COM", accept: false));
        Is<AdminOutcome.AlreadyThere>("exists already", Commands.Domains.Add("example.com", accept: false));
        Is<AdminOutcome.Done>("accepted from anyone", Commands.Domains.Add("example.com", accept: true));
        Is<AdminOutcome.AlreadyThere>("and accepts its recipients", Commands.Domains.Add("example.com", accept: true));
        Is<AdminOutcome.AlreadyThere>("and accepts its recipients", Commands.Domains.Add("example.com", accept: false));
        Is<AdminOutcome.Done>("domain xn--mnchen-3ya.de added", Commands.Domains.Add("M\u00fcnchen.de", accept: false));
        Is<AdminOutcome.Invalid>("'exam ple.com' is not a mail domain", Commands.Domains.Add("exam ple.com", accept: false));
        Is<AdminOutcome.Invalid>("is not a mail domain", Commands.Domains.Add("example.com'; drop table domains; --", accept: false));

        Assert.Equal([("example.com", true), ("xn--mnchen-3ya.de", false)], fixture.Queries.Domains().Select(d => (d.Name, d.Accepts)));
        Assert.True(fixture.Queries.Domain("EXAMPLE.com")!.Accepts);
        Assert.Null(fixture.Queries.Domain("example.org"));
        Is<AdminOutcome.NotFound>("did you mean 'example.com'?", Commands.Domains.Remove("exmple.com"));
        Is<AdminOutcome.Done>("domain example.com removed", Commands.Domains.Remove("example.com"));
        Is<AdminOutcome.NotFound>("there is no domain 'example.com'", fixture.Queries.NoSuchDomain("example.com"));
    }

    [Fact]
    public void A_network_needs_its_domain_and_holds_it()
    {
        Is<AdminOutcome.NotFound>("postern domain add example.com", Commands.Networks.Add("192.0.2.0/24", "Example.com"));
        Commands.Domains.Add("example.com", accept: false);
        Is<AdminOutcome.Done>("clients in 192.0.2.0/24 may send for example.com", Commands.Networks.Add("192.0.2.0/24", "example.com"));
        Is<AdminOutcome.AlreadyThere>("already", Commands.Networks.Add("::ffff:192.0.2.0/120", "example.com"));
        Is<AdminOutcome.Invalid>("postern network remove 192.0.2.0/24 --domain example.com", Commands.Domains.Remove("example.com"));
        Assert.Equal(["192.0.2.0/24"], fixture.Queries.Domain("example.com")!.Networks);
        Assert.Equal(new NetworkDetails("192.0.2.0/24", "example.com"), Assert.Single(fixture.Queries.Networks()));

        Is<AdminOutcome.NotFound>("there is no network 192.0.2.0/25", Commands.Networks.Remove("192.0.2.0/25"));
        Is<AdminOutcome.NotFound>("there is no network 192.0.2.0/24 for example.org", Commands.Networks.Remove("192.0.2.0/24", "example.org"));
        Is<AdminOutcome.Done>("network 192.0.2.0/24 for example.com removed", Commands.Networks.Remove("192.0.2.0/24", "example.com"));
        Is<AdminOutcome.Done>("domain example.com removed", Commands.Domains.Remove("example.com"));
    }

    [Fact]
    public void A_network_is_removed_for_every_domain_when_none_is_named()
    {
        foreach (var domain in (string[])["example.com", "example.org"])
        {
            Commands.Domains.Add(domain, accept: false);
            Commands.Networks.Add("2001:db8::/32", domain);
        }

        Is<AdminOutcome.Done>("network 2001:db8::/32 removed", Commands.Networks.Remove("2001:DB8::/32"));
        Assert.Empty(fixture.Queries.Networks());
    }

    [Theory]
    [InlineData("192.0.2.5/24", "the network is 192.0.2.0/24, the one address 192.0.2.5/32")]
    [InlineData("2001:db8::1/32", "the network is 2001:db8::/32, the one address 2001:db8::1/128")]
    [InlineData("192.0.2.0/33", "1 to 32")]
    [InlineData("2001:db8::/129", "1 to 128")]
    [InlineData("192.0.2.0/-1", "1 to 32")]
    [InlineData("192.0.2.0/", "1 to 32")]
    [InlineData("192.0.2.0/24/1", "1 to 32")]
    [InlineData("192.0.2/24", "is not a network")]
    [InlineData("0300.0.2.0/24", "is not a network")]
    [InlineData("fe80::1%eth0/128", "is not a network")]
    [InlineData("[2001:db8::]/32", "is not a network")]
    [InlineData("example.com", "is not a network")]
    [InlineData("", "is not a network")]
    [InlineData("0.0.0.0/0", "open relay")]
    [InlineData("::/0", "open relay")]
    [InlineData("::ffff:0.0.0.0/96", "open relay")]
    public void A_network_that_is_not_clearly_one_is_refused_with_what_was_meant(string cidr, string message)
    {
        Commands.Domains.Add("example.com", accept: false);
        Is<AdminOutcome.Invalid>(message, Commands.Networks.Add(cidr, "example.com"));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1/32")]
    [InlineData("2001:db8::1", "2001:db8::1/128")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1/32")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("128.0.0.0/1", "128.0.0.0/1")]
    public void A_network_has_one_written_form(string cidr, string expected)
    {
        Assert.True(NetworkText.TryParse(cidr, out var network, out _));
        Assert.Equal(expected, network.ToString());
    }

    [Fact]
    public async Task Of_several_that_add_the_same_account_one_succeeds()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Commands.Accounts.Add(new AddAccount("lisa", [], [])))));
        Assert.Single(outcomes, o => o is AdminOutcome.Done);
        Assert.Equal(5, outcomes.Count(o => o is AdminOutcome.AlreadyThere));
    }

    [Fact]
    public void Every_change_that_was_made_is_an_event_and_no_other()
    {
        var audit = new ListedAudit();
        var commands = new DirectoryCommands(fixture.Database, fixture.Clock, audit, new Operator("root"));
        commands.Accounts.Add(new AddAccount("lisa", [], []));
        commands.Accounts.Add(new AddAccount("lisa", [], []));
        commands.Accounts.Disable("bob");
        var secret = Assert.IsType<AdminOutcome.Issued>(commands.Credentials.Add(new AddCredential("lisa", Label: "printer"))).Generated!.Reveal();
        Assert.Equal(["root account add lisa", "root credential add lisa: printer"], audit.Events.Cast<AdminEvent>().Select(e => $"{e.Actor} {e.Action} {e.Target}"));
        Assert.All(audit.Events, e => Assert.DoesNotContain(secret, e.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_change_says_what_was_and_what_is_and_by_which_door_and_never_a_secret()
    {
        var audit = new ListedAudit();
        var commands = new DirectoryCommands(fixture.Database, fixture.Clock, audit, new Operator("root", AdminDoor.Cli));
        commands.Accounts.Add(new AddAccount("lisa@example.com", [], ["example.org"]));
        commands.Accounts.Grant(new ChangeGrants("lisa@example.com", ["sales@example.com"], []) { ActsAs = ["shop"] });
        commands.Accounts.Revoke(new ChangeGrants("lisa@example.com", [], ["example.org"]));
        commands.Accounts.Disable("lisa@example.com");
        var typed = new Secret("correct horse battery");
        var issued = Assert.IsType<AdminOutcome.Issued>(commands.Credentials.Add(new AddCredential("lisa@example.com", typed, "printer", TimeSpan.FromDays(1))));
        var replaced = Assert.IsType<AdminOutcome.Issued>(commands.Credentials.Add(new AddCredential("lisa@example.com", Label: "scanner") { Replaces = new RevokeCredential("lisa@example.com", "printer") }));
        commands.Credentials.Revoke(new RevokeCredential("lisa@example.com"));
        commands.Domains.Add("example.com", accept: false);
        commands.Domains.Add("example.com", accept: true);
        commands.Networks.Add("192.0.2.0/24", "example.com");
        commands.Networks.Remove("192.0.2.0/24");
        commands.Domains.Remove("example.com");
        commands.Accounts.Remove("lisa@example.com");

        var expires = (fixture.Clock.GetUtcNow() + TimeSpan.FromDays(1)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(
            [
                "account add: account - lisa@example.com, addresses - lisa@example.com, domains - example.org",
                "account grant: addresses lisa@example.com lisa@example.com, sales@example.com, acts_as - shop",
                "account revoke: domains example.org -",
                "account disable: enabled true false",
                $"credential add: credential - printer, form - SCRAM-SHA-256, expires - {expires}",
                $"credential replace: credential printer scanner, form - SCRAM-SHA-256, expires - {expires}",
                "credential revoke: credential scanner -",
                "domain add: domain - example.com",
                "domain add --accept: accepts false true",
                "network add: network - 192.0.2.0/24",
                "network remove: network 192.0.2.0/24 -",
                "domain remove: domain example.com -",
                "account remove: account lisa@example.com -, addresses lisa@example.com, sales@example.com -, acts_as shop -",
            ],
            audit.Events.Cast<AdminEvent>().Select(static e => $"{e.Action}: {string.Join(", ", e.Changes.Select(static c => $"{c.Field} {c.Before ?? "-"} {c.After ?? "-"}"))}"));
        Assert.All(audit.Events.Cast<AdminEvent>(), static e => Assert.Equal(("root", AdminDoor.Cli, null), (e.Actor, e.Via, e.Client)));
        foreach (var audited in audit.Events)
        {
            var line = string.Join(' ', audited.ToCells());
            Assert.DoesNotContain("horse", line, StringComparison.Ordinal);
            Assert.DoesNotContain(replaced.Generated!.Reveal(), line, StringComparison.Ordinal);
            Assert.DoesNotContain("$", line, StringComparison.Ordinal);
        }

        Assert.Null(issued.Generated);
    }

    private static void Is<T>(string message, AdminOutcome outcome)
        where T : AdminOutcome
    {
        Assert.IsType<T>(outcome);
        Assert.Contains(message, outcome.Message, StringComparison.Ordinal);
    }

    private sealed class ListedAudit : IAuditLog
    {
        public List<AuditEvent> Events { get; } = [];

        public long Dropped => 0;

        public void Append(AuditEvent audit) => Events.Add(audit);

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
