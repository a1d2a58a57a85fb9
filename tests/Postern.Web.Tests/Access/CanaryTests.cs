using System.Text.Json;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Testing;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>Nothing that opens a door stands where it can be read again.</summary>
public sealed class CanaryTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task No_secret_is_in_the_log_in_an_outcome_or_in_what_is_listed()
    {
        const string wrong = "hidden-canary-password";
        var logs = Path.Combine(rig.Folder, "logs");
        var outcomes = new List<AdminOutcome>();
        string cookie, code, key;
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = logs }, rig.Clock))
        {
            var commands = new AccessCommands(rig.Directory, rig.Clock, log, new Operator("root", AdminDoor.Cli));
            var sessions = new Sessions(rig.Directory, rig.State, log, rig.Clock);
            var signIn = new SignIn(rig.Directory, sessions, rig.Hashing, new SignInGuard(log, rig.Clock, rig.Directory.DecoyKey.Span), log, rig.Clock);
            using var keys = new Keys(rig.Directory, rig.State, log, rig.Clock);

            var invited = Assert.IsType<Invited>(Note(commands.Operators.Invite("owner", tenant: null)));
            code = invited.Code.Reveal();
            var totp = commands.Operators.Look(code)!.Totp;
            Note(commands.Operators.Enrol(new EnrolOperator(code, "lisa", new Secret("short " + wrong[..4]), OneTimeCode.Of(totp, rig.Clock.GetUtcNow()))));
            Note(commands.Operators.Enrol(new EnrolOperator(code, "lisa", new Secret(AccessRig.Password), OneTimeCode.Of(totp, rig.Clock.GetUtcNow()))));
            Note(commands.Operators.Enrol(new EnrolOperator(code, "bart", new Secret(AccessRig.Password), OneTimeCode.Of(totp, rig.Clock.GetUtcNow()))));
            Note(commands.Operators.ChangePassword("lisa", new Secret("password" + "1234567")));
            rig.Clock.Advance(TimeSpan.FromSeconds(30));
            Assert.IsType<SignInAnswer.No>(await signIn.TryAsync(new SignInRequest("lisa", new Secret(wrong), "000000"), AccessRig.Home, AccessRig.Ct));
            Assert.IsType<SignInAnswer.No>(await signIn.TryAsync(new SignInRequest(wrong, new Secret(wrong), wrong), AccessRig.Home, AccessRig.Ct));
            var answer = await signIn.TryAsync(new SignInRequest("lisa", new Secret(AccessRig.Password), OneTimeCode.Of(totp, rig.Clock.GetUtcNow())), AccessRig.Home, AccessRig.Ct);
            cookie = Assert.IsType<SignInAnswer.Welcome>(answer).Session.Cookie.Reveal();
            var issued = Assert.IsType<KeyIssued>(Note(commands.Keys.Add(new AddKey("grafana", Scopes.MetricsRead) { ExpiresAfter = TimeSpan.FromMinutes(1) })));
            key = issued.Key.Reveal();
            rig.Clock.Advance(TimeSpan.FromMinutes(2));
            Assert.Null(await keys.FindAsync(key, AccessRig.Home, AccessRig.Ct));
            Note(commands.Keys.Remove(key[..^1]));
            Note(commands.Keys.Remove(key));
            Note(commands.Operators.Reset("lisa"));

            string[] secrets = [AccessRig.Password, wrong, code, code.Replace("-", "", StringComparison.Ordinal), cookie, key.Split('_')[2], OneTimeCode.TextOf(totp)];
            var said = string.Join('\n', outcomes) + answer + JsonSerializer.Serialize(rig.Queries.Operators()) + JsonSerializer.Serialize(rig.Queries.Keys()) + JsonSerializer.Serialize(sessions.List(name: null));
            Assert.Null(SecretTrace.Find(System.Text.Encoding.UTF8.GetBytes(said), secrets));
            await log.FlushAsync(AccessRig.Ct);
            var files = Directory.GetFiles(logs);
            Assert.NotEmpty(files);
            foreach (var file in files)
                Assert.Null(SecretTrace.Find(await File.ReadAllBytesAsync(file, AccessRig.Ct), secrets));
        }

        AdminOutcome Note(AdminOutcome outcome)
        {
            outcomes.Add(outcome);
            return outcome;
        }
    }

    [Fact]
    public void A_code_of_an_authenticator_is_that_of_the_standard()
    {
        // RFC 6238 appendix B, the last six of eight digits.
        var secret = "12345678901234567890"u8.ToArray();
        foreach (var (seconds, code) in ((long, string)[])[(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")])
        {
            var at = DateTimeOffset.FromUnixTimeSeconds(seconds);
            Assert.Equal(code, OneTimeCode.Of(secret, at));
            Assert.Equal(seconds / 30, OneTimeCode.StepOf(secret, code, at, after: 0));
            Assert.Equal(seconds / 30, OneTimeCode.StepOf(secret, $"{code[..3]} {code[3..]}", at.AddSeconds(30), after: 0));
            Assert.Null(OneTimeCode.StepOf(secret, code, at, after: seconds / 30));
            Assert.Null(OneTimeCode.StepOf(secret, code, at.AddSeconds(90), after: 0));
        }

        Assert.Equal("otpauth://totp/Postern%20mail.example.org:lisa?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Postern%20mail.example.org", OneTimeCode.AddressOf(secret, "mail.example.org", "lisa"));
    }
}
