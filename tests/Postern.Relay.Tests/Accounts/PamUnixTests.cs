using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores.Pam;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Sasl.Verifiers;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Users of this machine, by pam_unix as the page shows it: one is made for the test, who can do nothing else and is taken away after it.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class PamUnixTests : IAsyncLifetime
{
    private const string Password = "tiger-lily-9";

    private readonly DirectoryFixture fixture = new();
    private readonly string user = $"pst{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}";

    private bool isMade;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Folder => Path.GetDirectoryName(fixture.File)!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(PamGate.HasModule("pam_unix.so"), "libpam-modules is not installed");
        Assert.SkipUnless(File.Exists("/usr/sbin/useradd") && Environment.IsPrivilegedProcess, "only root, with useradd, can make a user of this machine");
        CryptHash.Create("$6$", Password, out var hash);
        await RunAsync("useradd", "--no-create-home", "--no-user-group", "--shell", "/usr/sbin/nologin", "--comment", "made by a test", "--password", hash!.Stored, user);
        isMade = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (isMade)
            await RunningProgram.RunAsync(["/usr/sbin/userdel", user]);
        fixture.Dispose();
    }

    [Fact]
    public async Task A_user_of_this_machine_logs_in_by_his_password_and_by_no_other()
    {
        var store = Open("auth required pam_unix.so\naccount required pam_unix.so");
        Assert.Equal(user, Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, user, Password)).User);
        Assert.Equal("wrong password, or there is no such user (PAM_AUTH_ERR)", Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, user, "lion")).Reason);
        Assert.Equal("there is no such user (PAM_USER_UNKNOWN)", Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, user + "x", Password)).Reason);
        Assert.Null(await store.ProbeAsync(Ct));
    }

    [Fact]
    public async Task What_the_administrator_does_to_the_user_counts_at_the_next_login()
    {
        var store = Open("auth required pam_unix.so\naccount required pam_unix.so");
        await RunAsync("chage", "--expiredate", "1970-01-02", user);
        Assert.Equal("the account has expired (PAM_ACCT_EXPIRED)", Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, user, Password)).Reason);
        await RunAsync("chage", "--expiredate", "-1", "--lastday", "0", user);
        Assert.Equal("the password has expired, and a new one must be set (PAM_NEW_AUTHTOK_REQD)", Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, user, Password)).Reason);
        await RunAsync("chage", "--lastday", "-1", user);
        await RunAsync("usermod", "--lock", user);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, user, Password));
        await RunAsync("usermod", "--unlock", user);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, user, Password));
    }

    [Fact]
    public async Task A_module_that_asks_with_echo_for_a_code_is_not_answered_and_the_reason_says_so()
    {
        Assert.SkipUnless(PamGate.HasModule("pam_google_authenticator.so"), "libpam-google-authenticator is not installed");
        var secret = Path.Combine(Folder, "codes");
        await File.WriteAllTextAsync(secret, "JBSWY3DPEHPK3PXPJBSWY3DPEH\n\" TOTP_AUTH\n", Ct);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead);
        var store = Open($"auth required pam_unix.so\nauth required pam_google_authenticator.so secret={secret} user=root no_strict_owner echo_verification_code\naccount required pam_unix.so");
        var reason = Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(store, user, Password)).Reason;
        Assert.StartsWith("a module asks for something that is not the password, such as a code, which nobody can answer here: take it out of the service's file (PAM_", reason, StringComparison.Ordinal);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var path = new[] { "/usr/sbin", "/usr/bin" }.Select(folder => Path.Combine(folder, program)).First(File.Exists);
        var result = await RunningProgram.RunAsync([path, .. arguments]);
        Assert.True(result.ExitCode == 0, $"{program}: {result.Output}{result.Error}");
    }

    private static Task<LoginAnswer> CheckAsync(PamStore store, string user, string password) =>
        store.CheckPasswordAsync(user, new Password(Encoding.UTF8.GetBytes(password)), client: default, Ct).AsTask();

    private PamStore Open(string service)
    {
        File.WriteAllText(Path.Combine(Folder, "smtp"), service + "\n");
        return (PamStore)PamStore.Kind.Open(fixture.StoreContext, PamStore.Kind.Read(new StoreKeys(("directory", Folder)), new AccountSource("pam:smtp", "mail.example.org")));
    }
}
