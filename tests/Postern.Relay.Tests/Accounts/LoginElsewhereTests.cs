using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Accounts.Stores.Dovecot;
using Postern.Relay.Accounts.Verifiers;
using Postern.Relay.Audit;
using Postern.Relay.Tests.Accounts.Protection;
using Postern.Sasl;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Mechanisms that a Dovecot answers: where they are passed on, what is passed, and that nothing of this server's rules is left out on the way.</summary>
public sealed class LoginElsewhereTests : IAsyncDisposable
{
    private const string Lisa = "lisa@example.org";
    private const string Peer = "192.0.2.1";

    private readonly DirectoryFixture fixture = new();
    private readonly ScriptedDovecot dovecot = new();
    private readonly List<IDisposable> opened = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        opened.ForEach(static one => one.Dispose());
        await dovecot.DisposeAsync();
        fixture.Dispose();
    }

    [Fact]
    public async Task Messages_are_carried_there_and_back()
    {
        dovecot.Answer = static (line, _) => line.StartsWith("AUTH\t", StringComparison.Ordinal) ? "CONT\t1\tPDFAeD4=\n" : line.StartsWith("CONT\t", StringComparison.Ordinal) ? $"OK\t1\tuser={Lisa}\tresp=ZG9uZQ==\n" : null;
        var exchange = Begin(await OpenAsync(), "CRAM-MD5")!;
        Assert.Equal("<1@x>", Text(Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(null, Ct)).Data));
        var success = Assert.IsType<SaslStep.Success>(await exchange.NextAsync(Encoding.ASCII.GetBytes($"{Lisa} 0123456789abcdef"), Ct));
        Assert.Equal((new SaslIdentity(Lisa, Lisa), "done"), (success.Identity, Text(success.Data!.Value)));
        Assert.NotNull(success.Authority);
        Assert.Equal(
            [$"AUTH\t1\tCRAM-MD5\tservice=smtp\tnologin\tno-penalty\trip={Peer}\tfinal-resp-ok", $"CONT\t1\t{Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Lisa} 0123456789abcdef"))}"],
            dovecot.Heard);
    }

    [Fact]
    public async Task A_yes_without_data_has_none()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming($"\tuser={Lisa}");
        Assert.Null(Assert.IsType<SaslStep.Success>(await Begin(await OpenAsync(), "CRAM-MD5")!.NextAsync(null, Ct)).Data);
    }

    [Fact]
    public async Task An_initial_response_without_octets_is_not_none()
    {
        dovecot.Answer = ScriptedDovecot.Failing("");
        var verifiers = await OpenAsync(Source(("mechanisms", "GSSAPI")), "GSSAPI");
        await Begin(verifiers, "GSSAPI")!.NextAsync(null, Ct);
        await Begin(verifiers, "GSSAPI")!.NextAsync(ReadOnlyMemory<byte>.Empty, Ct);
        Assert.EndsWith("\tfinal-resp-ok", dovecot.Heard[0], StringComparison.Ordinal);
        Assert.EndsWith("\tfinal-resp-ok\tresp==", dovecot.Heard[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", SaslError.BadCredentials)]
    [InlineData("\tcode=user_disabled", SaslError.BadCredentials)]
    [InlineData("\tcode=temp_fail", SaslError.TemporaryFailure)]
    [InlineData("\tcode=of_tomorrow", SaslError.TemporaryFailure)]
    public async Task A_no_is_wrong_only_where_it_says_so(string fields, SaslError error)
    {
        dovecot.Answer = ScriptedDovecot.Failing(fields);
        Assert.Equal(error, Assert.IsType<SaslStep.Failure>(await Begin(await OpenAsync(), "CRAM-MD5")!.NextAsync(null, Ct)).Error);
    }

    [Fact]
    public async Task A_Dovecot_that_is_silent_or_gone_is_454()
    {
        var verifiers = await OpenAsync();
        var asked = Begin(verifiers, "CRAM-MD5")!.NextAsync(null, Ct);
        fixture.Clock.Advance(new StoreTerms().Timeout);
        Assert.EndsWith("no answer within 2 s", Assert.IsType<SaslStep.Failure>(await asked).Reason, StringComparison.Ordinal);
        dovecot.Answer = static (line, _) => line.StartsWith("AUTH\t", StringComparison.Ordinal) ? $"CONT\t{ScriptedDovecot.NumberOf(line)}\t\n" : "";
        var exchange = Begin(verifiers, "CRAM-MD5")!;
        Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(null, Ct));
        Assert.Equal(SaslError.TemporaryFailure, Assert.IsType<SaslStep.Failure>(await exchange.NextAsync("lisa 00"u8.ToArray(), Ct)).Error);
    }

    [Fact]
    public async Task Whoever_leaves_is_given_up_there_too()
    {
        dovecot.Answer = static (line, _) => line.StartsWith("AUTH\t", StringComparison.Ordinal) ? $"CONT\t{ScriptedDovecot.NumberOf(line)}\t\n" : null;
        var exchange = Begin(await OpenAsync(), "CRAM-MD5")!;
        Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(null, Ct));
        ((IDisposable)exchange).Dispose();
        await dovecot.HearAsync(static line => line == "CANCEL\t1");
    }

    [Fact]
    public async Task With_other_stores_beside_it_only_what_is_named_is_passed_on()
    {
        Assert.Null(Begin(await OpenAsync(Source(), "CRAM-MD5", fixture.Store("file:///nobody")), "SCRAM-SHA-1", isElsewhere: true));
        var verifiers = await OpenAsync(Source(("mechanisms", "cram-md5")), "SCRAM-SHA-256", fixture.Store());
        Assert.IsType<LoginElsewhere>(Begin(verifiers, "CRAM-MD5"));
        Assert.IsNotType<LoginElsewhere>(Begin(verifiers, "SCRAM-SHA-256"));
        Assert.IsNotType<LoginElsewhere>(Begin(verifiers, "PLAIN"));
        Assert.DoesNotContain("CRAM-MD5", verifiers.UsualMechanisms);
    }

    [Fact]
    public async Task A_bound_form_is_not_on_offer_where_the_plain_one_is_passed_on()
    {
        var verifiers = await OpenAsync(Source(("mechanisms", "SCRAM-SHA-256")), "SCRAM-SHA-256", fixture.Store());
        var context = verifiers.Context with { Channel = new ChannelBindings((ChannelBindingType.TlsExporter, new byte[32])) };
        Assert.Null(context.Begin(Mechanism("SCRAM-SHA-256-PLUS")));
        Assert.NotNull((context with { Elsewhere = null }).Begin(Mechanism("SCRAM-SHA-256-PLUS")));
        Assert.NotNull(context.Begin(Mechanism("SCRAM-SHA-512-PLUS")));
    }

    [Fact]
    public async Task A_user_of_a_store_that_is_asked_before_is_not_Dovecots()
    {
        fixture.AddAccount(Lisa);
        dovecot.Answer = ScriptedDovecot.Welcoming($"\tuser={Lisa}");
        var failure = await FailAsync(await OpenAsync(Source(("mechanisms", "CRAM-MD5")), "CRAM-MD5", fixture.Store()));
        Assert.Equal(SaslError.BadCredentials, failure.Error);
        Assert.Contains($"has logged in {Lisa}, who is a user of directory, which is asked before it", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_for_whom_it_is_not_asked_does_not_log_in()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming("\tuser=lisa@example.net");
        var failure = await FailAsync(await OpenAsync(Source() with { Logins = LoginPatterns.Parse(["@example.org"], out _) }, "CRAM-MD5"));
        Assert.Contains("is for @example.org only ('logins')", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whom_the_directory_has_disabled_does_not_log_in()
    {
        fixture.AddAccount(Lisa);
        fixture.Execute("update accounts set enabled = 0");
        dovecot.Answer = ScriptedDovecot.Welcoming($"\tuser={Lisa}");
        Assert.Equal(StoredLogin.Disabled, (await FailAsync(await OpenAsync())).Reason);
    }

    [Fact]
    public async Task A_master_user_needs_a_grant_here_too()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming($"\tuser={Lisa}\tauth_user=master");
        var failure = await FailAsync(await OpenAsync());
        Assert.Contains($"lets master log in as {Lisa}, and here he may not", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guesses_are_counted_by_name_and_by_address()
    {
        dovecot.Answer = static (line, _) => line.StartsWith("AUTH\t", StringComparison.Ordinal) ? $"CONT\t{ScriptedDovecot.NumberOf(line)}\t\n"
            : line.StartsWith("CONT\t", StringComparison.Ordinal) ? $"FAIL\t{ScriptedDovecot.NumberOf(line)}\n" : null;
        var protection = new LoginProtection(ProtectionFixture.WithoutDelay, NoAuditLog.Instance, fixture.Clock);
        var verifiers = await OpenAsync(protection: protection);
        // A challenge that nobody answers is no guess.
        for (var i = 0; i < 50; i++)
            Assert.IsType<SaslStep.Challenge>(await Begin(verifiers, "CRAM-MD5")!.NextAsync(null, Ct));
        for (var i = 0; i <= 10; i++)
        {
            var exchange = Begin(verifiers, "CRAM-MD5")!;
            Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(null, Ct));
            var asked = dovecot.Heard.Length;
            var failure = Assert.IsType<SaslStep.Failure>(await exchange.NextAsync(Encoding.ASCII.GetBytes($"{Lisa} {i}"), Ct));
            Assert.Equal((Lisa, false), (failure.ClaimedUser, failure.UserExists));
            Assert.Equal(i < 10 ? SaslError.BadCredentials : SaslError.TemporaryFailure, failure.Error);
            Assert.Equal(i < 10, dovecot.Heard.Length > asked);
        }
    }

    [Theory]
    [InlineData("CRAM-MD5", "lisa simpson 00ff", "lisa simpson")]
    [InlineData("CRAM-MD5", "lisa", null)]
    [InlineData("DIGEST-MD5", "charset=utf-8,username=\"lisa\",realm=\"x\"", "lisa")]
    [InlineData("SCRAM-SHA-256", "n,,n=lisa=2Csimpson=3D,r=abc", "lisa,simpson=")]
    [InlineData("SCRAM-SHA-1", "y,a=bart,n=lisa,r=abc", "lisa")]
    [InlineData("SCRAM-SHA-1", "c=biws,r=abc,p=x", null)]
    [InlineData("SCRAM-SHA-1", "n,", null)]
    [InlineData("OAUTHBEARER", "n,a=lisa@example.org,\u0001auth=Bearer x\u0001\u0001", "lisa@example.org")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer x\u0001\u0001", null)]
    [InlineData("XOAUTH2", "user=lisa\u0001auth=Bearer x\u0001\u0001", "lisa")]
    [InlineData("GSSAPI", "user=lisa\u0001", null)]
    public void A_name_is_read_where_the_client_says_one(string mechanism, string message, string? name) =>
        Assert.Equal(name, ClaimedName.In(mechanism, Encoding.UTF8.GetBytes(message)));

    [Fact]
    public void Only_what_can_be_passed_on_may_be_named()
    {
        var keys = new StoreKeys(("mechanisms", "CRAM-MD5 EXTERNAL ANONYMOUS SCRAM-SHA-256-PLUS NTLM")) { Problems = [] };
        DovecotStore.Kind.Read(keys, new AccountSource("dovecot:/run/dovecot/auth-client", "mail.example.org"));
        Assert.Equal(4, keys.Problems!.Count);
    }

    private static ISaslMechanism Mechanism(string name) => SaslMechanisms.All.Single(m => m.Name == name);

    private static string Text(ReadOnlyMemory<byte> data) => Encoding.UTF8.GetString(data.Span);

    /// <param name="isElsewhere">Null where it would not be passed on.</param>
    private static ISaslExchange? Begin(AccountVerifiers verifiers, string mechanism, bool isElsewhere = false)
    {
        var exchange = (verifiers.Context with { Peer = Peer }).Begin(Mechanism(mechanism));
        return isElsewhere && exchange is not LoginElsewhere ? null : exchange;
    }

    private static async Task<SaslStep.Failure> FailAsync(AccountVerifiers verifiers) =>
        Assert.IsType<SaslStep.Failure>(await Begin(verifiers, "CRAM-MD5")!.NextAsync(Encoding.ASCII.GetBytes($"{Lisa} 00"), Ct));

    private AccountSource Source(params (string Key, string Value)[] keys) => DovecotStore.Kind.Read(
        new StoreKeys(keys), new AccountSource(string.Create(CultureInfo.InvariantCulture, $"dovecot://127.0.0.1:{dovecot.Port}"), "mail.example.org"));

    /// <param name="offers">A mechanism that this Dovecot has.</param>
    private async Task<AccountVerifiers> OpenAsync(AccountSource? source = null, string offers = "CRAM-MD5", IAccountStore? before = null, LoginProtection? protection = null)
    {
        dovecot.Greeting = $"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\t{offers}\nMECH\tCRAM-MD5\nMECH\tANONYMOUS\tanonymous\nMECH\tOTP\tprivate\nSPID\t1\nDONE\n";
        var store = AccountStores.Open(fixture.StoreContext, source ?? Source());
        opened.Add(store);
        if (before is not null)
            opened.Add(before);
        Assert.Null(await store.OwnMechanisms!.LearnAsync(Ct));
        return new AccountVerifiers(before is null ? [store] : [before, store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock, protection) { Directory = fixture.Database };
    }
}
