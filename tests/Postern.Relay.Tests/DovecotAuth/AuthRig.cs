using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Tests.Accounts;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>An authentication service on a Unix socket over real accounts: lisa's password is kept in every form, bart's in a store that is far away.</summary>
internal sealed class AuthRig : IAsyncDisposable
{
    public const string Password = "tiger";

    private readonly List<AuthChange> changes = [];

    public AuthRig(LoginProtectionOptions? protection = null)
    {
        Fixture.AddStoredHash("lisa", $"{{PLAIN}}{Password}");
        Far.Add("bart", "skateboard");
        Protection = protection is null ? null : new LoginProtection(protection, Log, Fixture.Clock);
        Verifiers = new AccountVerifiers([Fixture.Store(), Far], Fixture.Pool, new VerificationCache(Fixture.Clock), Fixture.Clock, Protection) { Directory = Fixture.Database };
        Server = new AuthServer(new AuthEvents(Log, Fixture.Clock), Fixture.Clock);
    }

    public DirectoryFixture Fixture { get; } = new();

    public SharedAuditLog Log { get; } = new();

    public FarStore Far { get; } = new();

    public LoginProtection? Protection { get; }

    public AccountVerifiers Verifiers { get; }

    public AuthServer Server { get; }

    public string Path => Fixture.Beside("auth");

    public AuthListenerOptions Options => new()
    {
        Name = "postfix",
        Places = [new AuthPlace.Unix(Path)],
        Mechanisms = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"],
    };

    public static SaslClientCredentials As(string user, string password) =>
        new() { User = user, Password = new Secret(password), Host = "mail.example.org", Realm = "mail.example.org" };

    public AppliedAuthPlaces Apply(params AuthListenerOptions[] listeners)
    {
        var change = Prepare(listeners);
        return change.Commit();
    }

    public AuthChange Prepare(params AuthListenerOptions[] listeners)
    {
        var change = Server.Prepare([.. listeners.Select(l => new AuthService(
            l, Verifiers.Context with { Hostname = "mail.example.org" }, Verifiers.IdentifyAsync, () => Verifiers.UsualMechanisms, Fixture.Clock))]);
        changes.Add(change);
        return change;
    }

    public async ValueTask DisposeAsync()
    {
        Far.Open();
        changes.ForEach(static c => c.Dispose());
        await Server.DisposeAsync();
        Fixture.Dispose();
    }
}
