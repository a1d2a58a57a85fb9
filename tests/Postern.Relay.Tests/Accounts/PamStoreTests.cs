using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Pam;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>What becomes of each thing that PAM's modules can do, with the modules of this machine.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class PamStoreTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public PamStoreTests() => Assert.SkipUnless(PamGate.HasModule("pam_permit.so"), "libpam-modules is not installed");

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData("auth required pam_permit.so\naccount required pam_permit.so", null)]
    [InlineData("auth required pam_deny.so\naccount required pam_permit.so", "wrong password, or there is no such user (PAM_AUTH_ERR)")]
    [InlineData("auth required pam_permit.so\naccount required pam_deny.so", "the account rules refuse the user (PAM_AUTH_ERR)")]
    [InlineData("auth required pam_debug.so auth=user_unknown", "there is no such user (PAM_USER_UNKNOWN)")]
    [InlineData("auth required pam_debug.so auth=maxtries", "PAM takes no more tries for this user (PAM_MAXTRIES)")]
    [InlineData("auth required pam_debug.so auth=perm_denied", "the user may not log in here (PAM_PERM_DENIED)")]
    [InlineData("auth required pam_permit.so\naccount required pam_debug.so acct=acct_expired", "the account has expired (PAM_ACCT_EXPIRED)")]
    [InlineData("auth required pam_permit.so\naccount required pam_debug.so acct=new_authtok_reqd", "the password has expired, and a new one must be set (PAM_NEW_AUTHTOK_REQD)")]
    [InlineData("auth required pam_permit.so\naccount required pam_debug.so acct=perm_denied", "the user may not log in here (PAM_PERM_DENIED)")]
    [InlineData("auth required pam_permit.so\naccount required pam_debug.so acct=user_unknown", "the account rules refuse the user (PAM_USER_UNKNOWN)")]
    [InlineData("auth required pam_warn.so\nauth required pam_permit.so\naccount required pam_permit.so", null)]
    public async Task Modules_that_decide_are_believed(string service, string? reason)
    {
        var answer = await CheckAsync(Open(service), "lisa", "tiger");
        if (reason is null)
            Assert.Equal("lisa", Assert.IsType<LoginAnswer.Match>(answer).User);
        else
            Assert.Equal(reason, Assert.IsType<LoginAnswer.NoMatch>(answer).Reason);
    }

    [Theory]
    [InlineData("auth required pam_debug.so auth=authinfo_unavail", "a module cannot reach what it looks users up in (PAM_AUTHINFO_UNAVAIL)")]
    [InlineData("auth required pam_debug.so auth=system_err", "a module has failed; the system's log says why (PAM_SYSTEM_ERR)")]
    [InlineData("auth required pam_debug.so auth=abort", "a module has failed; the system's log says why (PAM_ABORT)")]
    [InlineData("auth required pam_debug.so auth=cred_insufficient", "this server's own user may not read what the modules need (PAM_CRED_INSUFFICIENT)")]
    [InlineData("auth required pam_no_such_module.so", "a module of the service is not there or cannot be loaded (PAM_MODULE_UNKNOWN)")]
    [InlineData("auth required pam_permit.so\naccount required pam_debug.so acct=authinfo_unavail", "a module cannot reach what it looks users up in (PAM_AUTHINFO_UNAVAIL)")]
    public async Task Modules_that_cannot_decide_are_no_answer(string service, string reason) =>
        Assert.Equal(reason, Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(service), "lisa", "tiger")).Reason);

    [Fact]
    public async Task A_program_that_a_module_runs_gets_the_password_and_the_client_and_decides()
    {
        var store = Open($"auth required pam_exec.so quiet expose_authtok {Script("read -r password\n[ \"$PAM_USER/$password/$PAM_RHOST/$PAM_TTY/$PAM_SERVICE\" = \"lisa/tiger/192.0.2.7/postern/smtp\" ]")}\naccount required pam_permit.so");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger", "192.0.2.7"));
        Assert.IsNotType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger", "192.0.2.8"));
        Assert.IsNotType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "lion", "192.0.2.7"));
    }

    [Fact]
    public async Task A_program_that_crashes_has_not_decided()
    {
        var store = Open($"auth required pam_exec.so quiet {Script("kill -SEGV $$")}\naccount required pam_permit.so");
        Assert.Equal("a module has failed; the system's log says why (PAM_SYSTEM_ERR)", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(store, "lisa", "tiger")).Reason);
    }

    [Fact]
    public async Task Text_of_modules_needs_no_answer_and_what_is_asked_for_without_echo_has_the_password()
    {
        // pam_ftp asks by echo for an address where the name is anonymous.
        var store = Open("auth required pam_echo.so Welcome\nauth required pam_ftp.so ignore\naccount required pam_permit.so");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "ftp", "tiger"));
    }

    [Theory]
    [InlineData("-lisa")]
    [InlineData(".lisa")]
    [InlineData("lisa/../root")]
    [InlineData("lisa:x")]
    public async Task A_name_that_modules_would_misread_is_nobody(string name)
    {
        var store = Open("auth required pam_permit.so\naccount required pam_permit.so");
        Assert.Same(StoredLogin.Nobody, await store.FindAsync(name, Ct));
        Assert.Same(StoredLogin.Nobody, await CheckAsync(store, name, "tiger"));
    }

    [Fact]
    public async Task A_password_that_modules_would_misread_is_not_asked_about()
    {
        var store = Open("auth required pam_permit.so\naccount required pam_permit.so");
        foreach (var password in new[] { "", "tig\0er", new string('x', 512) })
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "lisa", password));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", new string('x', 511)));
    }

    [Fact]
    public async Task Users_of_a_domain_are_known_by_what_stands_before_it()
    {
        var store = Open($"auth required pam_exec.so quiet {Script("[ \"$PAM_USER\" = lisa ]")}\naccount required pam_permit.so", ("domain", "Example.org"));
        foreach (var name in new[] { "lisa", "lisa@example.org" })
        {
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, name, "tiger"));
            var account = Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(name, Ct)).Stored.Account;
            Assert.Equal(("lisa@example.org", "lisa@example.org"), (account.Name, account.Addresses.Single()));
        }

        Assert.Same(StoredLogin.Nobody, await store.FindAsync("lisa@example.net", Ct));
    }

    [Fact]
    public async Task Modules_that_hang_keep_their_threads_and_are_counted_and_others_go_on()
    {
        var gate = await PamGate.MakeAsync(Folder);
        var service = $"auth [success=1 default=ignore] pam_succeed_if.so quiet user != slow\nauth required pam_exec.so quiet {gate.Program}\nauth required pam_permit.so\naccount required pam_permit.so";
        var store = Open(service, new StoreTerms { MostQuestions = 3 });
        var bound = AccountStores.Bound(store, new StoreTerms { MostQuestions = 100 }, fixture.Clock);
        var slow = Enumerable.Range(0, 2).Select(i => bound.CheckPasswordAsync("slow", new Password(Encoding.ASCII.GetBytes($"tiger{i}")), Ct).AsTask()).ToArray();
        Assert.IsType<LoginAnswer.Match>(await bound.CheckPasswordAsync("lisa", new Password("tiger"u8.ToArray()), Ct));
        Assert.Null(await store.ProbeAsync(Ct) is { } words && words.Contains("threads wait", StringComparison.Ordinal) ? words : null);
        fixture.Clock.Advance(new StoreTerms().Timeout);
        Assert.All(await Task.WhenAll(slow), static answer => Assert.StartsWith("no answer within", Assert.IsType<LoginAnswer.Unavailable>(answer).Reason, StringComparison.Ordinal));
        Assert.Equal(2, store.Threads.UnderWay);
        Assert.StartsWith("2 of 3 threads wait for modules of 'smtp' that do not come back, one of them for", await store.ProbeAsync(Ct), StringComparison.Ordinal);
        Assert.IsType<LoginAnswer.Match>(await bound.CheckPasswordAsync("bart", new Password("tiger"u8.ToArray()), Ct));

        var third = bound.CheckPasswordAsync("slow", new Password("lion"u8.ToArray()), Ct);
        Assert.StartsWith("2 of 3 threads wait", Assert.IsType<LoginAnswer.Busy>(await bound.CheckPasswordAsync("milhouse", new Password("tiger"u8.ToArray()), Ct)).Reason, StringComparison.Ordinal);
        gate.Open();
        Assert.IsType<LoginAnswer.Match>(await third.AsTask().WaitAsync(TimeSpan.FromSeconds(30), Ct));
        while (store.Threads.UnderWay > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Ct); // a thread that nobody waits for tells nobody of its end
        Assert.Null(store.Threads.Hanging);
        Assert.IsType<LoginAnswer.Match>(await bound.CheckPasswordAsync("milhouse", new Password("tiger"u8.ToArray()), Ct));
    }

    [Fact]
    public async Task A_password_that_is_right_from_one_address_is_asked_about_for_another()
    {
        var store = Open($"auth required pam_exec.so quiet {Script("[ \"$PAM_RHOST\" = 192.0.2.7 ]")}\naccount required pam_permit.so");
        var bound = AccountStores.Bound(store, new StoreTerms(), fixture.Clock);
        foreach (var (peer, isRight) in new[] { ("192.0.2.7", true), ("192.0.2.8", false), ("192.0.2.7", true) })
            Assert.Equal(isRight, await bound.CheckPasswordAsync("lisa", new Password("tiger"u8.ToArray()), new LoginClient(peer), Ct) is LoginAnswer.Match);
    }

    [Theory]
    [InlineData("pam:")]
    [InlineData("pam:../smtp")]
    [InlineData("pam:a/b")]
    [InlineData("pam:SMTP")]
    [InlineData("pam:.hidden")]
    public void A_service_is_the_name_of_a_file(string uri) =>
        Assert.Contains("a file in /etc/pam.d", AccountStores.WhyNot(new AccountSource(uri, "mail.example.org")), StringComparison.Ordinal);

    [Fact]
    public void A_service_that_is_not_there_is_warned_of()
    {
        var source = Read(("directory", Folder));
        Assert.Equal([$"there is no {Path.Combine(Folder, "smtp")}: every login by it is answered 454 until there is"], PamStore.Kind.Warn(source));
        File.WriteAllText(Path.Combine(Folder, "smtp"), "@include common\n");
        File.WriteAllText(Path.Combine(Folder, "common"), "auth required pam_unix.so\n");
        if (Environment.IsPrivilegedProcess)
            Assert.Empty(PamStore.Kind.Warn(source));
    }

    [Fact]
    public async Task A_thousand_logins_leave_no_thread_and_no_file_open()
    {
        var store = Open("auth required pam_permit.so\naccount required pam_permit.so");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
        for (var i = 0; i < 1000; i++)
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
        Assert.Equal(0, store.Threads.UnderWay);
        Assert.DoesNotContain(
            Directory.GetFiles("/proc/self/fd").Select(static link => new FileInfo(link).LinkTarget ?? string.Empty),
            target => target == Path.Combine(Folder, "smtp") || target.Contains("/security/pam_", StringComparison.Ordinal));
    }

    private string Folder => Path.GetDirectoryName(fixture.File)!;

    private static Task<LoginAnswer> CheckAsync(PamStore store, string user, string password, string? peer = null) =>
        store.CheckPasswordAsync(user, new Password(Encoding.UTF8.GetBytes(password)), new LoginClient(peer), Ct).AsTask();

    private static AccountSource Read(params (string Key, string Value)[] keys) => PamStore.Kind.Read(new StoreKeys(keys), new AccountSource("pam:smtp", "mail.example.org"));

    private string Script(string body)
    {
        var file = Path.Combine(Folder, "check.sh");
        File.WriteAllText(file, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }

    private PamStore Open(string service, params (string Key, string Value)[] keys)
    {
        File.WriteAllText(Path.Combine(Folder, "smtp"), service + "\n");
        return (PamStore)PamStore.Kind.Open(fixture.StoreContext, Read([("directory", Folder), .. keys]));
    }

    private PamStore Open(string service, StoreTerms terms)
    {
        File.WriteAllText(Path.Combine(Folder, "smtp"), service + "\n");
        return (PamStore)PamStore.Kind.Open(fixture.StoreContext, Read(("directory", Folder)) with { Terms = terms });
    }
}
