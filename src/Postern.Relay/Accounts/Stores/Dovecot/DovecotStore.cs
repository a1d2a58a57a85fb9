using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>
/// <c>dovecot:/run/dovecot/auth-client</c>: whom a running Dovecot logs in. Who there is it says with the password only, and by what name.
/// </summary>
internal sealed class DovecotStore : IAccountStore, IMechanismStore
{
    public static readonly AccountStoreKind Kind = new(
        "dovecot",
        "dovecot:/run/dovecot/auth-client",
        StoredForms.Password,
        static (context, source) => new DovecotStore((DovecotSource)source, context.Clock))
    {
        HasOwnKeys = true,
        // Dovecot lets who fails wait for two seconds (auth_failure_delay), which is no outage; a dead one is known before that.
        UsualTimeout = TimeSpan.FromSeconds(5),
        Read = DovecotSource.Read,
        WhyNot = DovecotSource.WhyNot,
        Warn = DovecotSource.Warn,
    };

    private const string Plain = "PLAIN";

    private readonly DovecotSource source;
    private readonly DovecotServer server;
    private readonly Lock gate = new();
    private readonly BoundedMap<StoredLogin> known;

    private DovecotStore(DovecotSource source, TimeProvider clock)
    {
        this.source = source;
        server = new DovecotServer(source, clock);
        known = new BoundedMap<StoredLogin>(source.Terms.Capacity);
    }

    public string Name => source.Uri;

    public StoredForms Forms => Kind.Forms;

    public string Realm => source.Realm;

    /// <summary>Its users may be bound to networks (allow_nets), or to TLS.</summary>
    public bool AsksForClient => true;

    /// <summary>Anybody may be a user; what was said of one with his password is known.</summary>
    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        lock (gate)
        {
            if (known.TryGet(user, out var login))
                return new(login.ToAnswer());
        }

        return new(Presume(user, source.NameOf(user)).ToAnswer());
    }

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        CheckPasswordAsync(user, password, client: default, ct);

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, LoginClient client, CancellationToken ct)
    {
        var octets = password.Octets;
        if (octets.IsEmpty || octets.Span.Contains((byte)0) || !Utf8.IsValid(octets.Span))
            return new LoginAnswer.NoMatch("a password that Dovecot is not asked about: empty, with NUL, or not UTF-8");
        var name = source.NameOf(user);
        var message = MessageOf(name, octets.Span);
        try
        {
            var (answer, connection, request) = await AskAsync(Plain, DovecotFacts.Of(client), message, ct);
            if (answer is DovecotAnswer.Goes)
                connection!.Cancel(request);
            return DovecotReply.WhyNot(answer, name) ?? Welcome(user, name, (DovecotAnswer.Ok)answer);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
        }
    }

    /// <summary>For operators: it is reached, offers PLAIN, and says no to a name that nobody has.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct) =>
        await CheckPasswordAsync(IAccountStore.NobodysName, new Password("nobody"u8.ToArray()), ct) switch
        {
            LoginAnswer.Match => "it takes any password for any name",
            var answer => answer.WhyOpen,
        };

    public IMechanismStore OwnMechanisms => this;

    /// <summary>
    /// What can be passed on: a mechanism whose dialogue is between the client and Dovecot alone. EXTERNAL rests on a certificate that was
    /// verified here, ANONYMOUS is nobody, and a -PLUS form is bound to a connection that is not Dovecot's.
    /// </summary>
    public ImmutableArray<string> Offered => server.Offered;

    public ImmutableArray<string> Named => source.Mechanisms;

    public void Look() => server.Look();

    public async ValueTask<string?> LearnAsync(CancellationToken ct) => (await server.ConnectAsync(ct)).Why;

    /// <summary>With its success Dovecot may say what the mechanism has to say last (final-resp-ok).</summary>
    public IStoreExchange Begin(string mechanism, LoginClient client)
    {
        var facts = DovecotFacts.Of(client) + "\tfinal-resp-ok";
        return new DovecotExchange((message, ct) => AskAsync(mechanism, facts, message, ct));
    }

    public void Dispose() => server.Dispose();

    private static StoredLogin Presume(string user, string account) => new(user, refusal: null, [])
    {
        IsCheckedByStore = true,
        IsPresumed = true,
        Account = Account.Of(account),
    };

    /// <summary>RFC 4616 §2, with no authorization identity: who may act as whom is decided here.</summary>
    private static byte[] MessageOf(string name, ReadOnlySpan<byte> password)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        var message = new byte[length + password.Length + 2];
        Encoding.UTF8.GetBytes(name, message.AsSpan(1));
        password.CopyTo(message.AsSpan(length + 2));
        return message;
    }

    /// <summary>Begins an exchange, on another connection where the first one turns out to have ended.</summary>
    private async ValueTask<(DovecotAnswer Answer, DovecotConnection? On, uint Request)> AskAsync(
        string mechanism, string facts, ReadOnlyMemory<byte>? message, CancellationToken ct)
    {
        for (var isAgain = false; ; isAgain = true)
        {
            var (connection, why) = await server.ConnectAsync(ct);
            if (connection is null)
                return (new DovecotAnswer.Broken(why!), null, 0);
            // It ends the connection of all where one asks for what it does not offer.
            if (!connection.Mechanisms.Any(m => m.Name == mechanism))
                return (new DovecotAnswer.Broken(NotOffered(mechanism)), null, 0);
            var answer = await connection.BeginAsync(mechanism, facts, message, out var request, ct);
            if (isAgain || answer is not DovecotAnswer.Broken { IsLost: true })
                return (answer, connection, request);
        }
    }

    private static string NotOffered(string mechanism) => mechanism == Plain
        ? "it offers no PLAIN, by which passwords are checked: 'auth_mechanisms' of Dovecot"
        : $"it does not offer {mechanism} any more: 'auth_mechanisms' of Dovecot";

    private LoginAnswer Welcome(string user, string name, DovecotAnswer.Ok ok)
    {
        if (!LoginNames.TryCanonical(ok.User, out var account) || LoginNames.IsDisguisedAddress(ok.User))
            return new LoginAnswer.Unavailable(DovecotReply.NameOfNobody);
        lock (gate)
        {
            if (account == name)
                known.Remove(user);
            else
                known.Add(user, Presume(user, account));
        }

        return new LoginAnswer.Match(user);
    }
}
