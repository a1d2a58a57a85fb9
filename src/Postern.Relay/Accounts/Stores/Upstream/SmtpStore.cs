using System.Collections.Immutable;
using System.Text.Unicode;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Client;

namespace Postern.Relay.Accounts.Stores.Upstream;

/// <summary>
/// <c>smtp://host:port</c>, <c>smtps://host:port</c>: a login there is a login here. Who there is the server says with the password only.
/// </summary>
internal sealed class SmtpStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = Of("smtp", "smtp://mail.example.net:587") with { SharesKeysWith = ["smtps"] };
    public static readonly AccountStoreKind SecureKind = Of("smtps", "smtps://mail.example.net:465");

    private static readonly ImmutableArray<string> Showing = ["PLAIN", "LOGIN"];

    private static readonly ImmutableArray<string> Strongest =
    [
        "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", .. Showing,
    ];

    private readonly SmtpSource source;
    private readonly UpstreamServer server;
    private readonly TimeProvider clock;

    private SmtpStore(SmtpSource source, StoreContext context)
    {
        this.source = source;
        clock = context.Clock;
        server = new UpstreamServer(source, context.Hostname, clock);
        Ready = new ReadyConnections(server, source.Terms.Timeout, clock);
    }

    public string Name => source.Uri;

    public StoredForms Forms => Kind.Forms;

    public string Realm => source.Realm;

    /// <summary>Sessions that wait for a login.</summary>
    internal ReadyConnections Ready { get; }

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => new(
        new StoredLogin(user, refusal: null, [])
        {
            IsCheckedByStore = true,
            IsPresumed = true,
            Account = Account.Of(source.NameOf(user)),
        }.ToAnswer());

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct)
    {
        var octets = password.Octets.Span;
        if (octets.IsEmpty || octets.Contains((byte)0) || !Utf8.IsValid(octets))
            return new LoginAnswer.NoMatch("a password that no server is asked about: empty, with NUL, or not UTF-8");
        var name = source.NameOf(user);
        var login = new ClientLogin(new SaslClientCredentials
        {
            User = name,
            Password = new Secret(password.Reveal()),
            Port = source.Port,
        })
        {
            Mechanisms = source.ShowsPasswords ? Showing : Strongest,
            AllowsExposure = source.AllowsExposure,
        };
        var begun = clock.GetTimestamp();
        try
        {
            var (answer, why) = await LogInAsync(login, isNew: false, ct);
            return answer is null ? new LoginAnswer.Unavailable(why!) : LoginReply.ToAnswer(answer, user, name);
        }
        catch (OperationCanceledException)
        {
            // The server that did not answer this one has not forgotten this one alone.
            if (clock.GetElapsedTime(begun) >= source.Terms.Timeout)
                Ready.Clear();
            throw;
        }
    }

    /// <summary>For operators: it is reached, comes to terms over TLS and offers AUTH.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct)
    {
        var (dialogue, why) = await server.OpenAsync(ct);
        if (dialogue is not null)
            await UpstreamServer.EndAsync(dialogue);
        return why;
    }

    public void Dispose() => Ready.Dispose();

    private async ValueTask<(ClientLoginAnswer? Answer, string? Why)> LogInAsync(ClientLogin login, bool isNew, CancellationToken ct)
    {
        var (connection, why) = await Ready.TakeAsync(isNew, ct);
        if (connection is null)
            return (null, why);
        var hadWaited = connection.HasWaited;
        ClientLoginAnswer answer;
        try
        {
            answer = await connection.Dialogue.LogInAsync(login, ct);
        }
        catch
        {
            await connection.Dialogue.DisposeAsync();
            throw;
        }

        if (answer is ClientLoginAnswer.Refused)
        {
            connection.Failures++;
            Ready.GiveBack(connection);
        }
        else
            _ = UpstreamServer.EndAsync(connection.Dialogue);
        if (!hadWaited || !LoginReply.IsOfTheSession(answer))
            return (answer, null);

        // It had waited, and the server had given it up: so it has the others.
        Ready.Clear();
        return await LogInAsync(login, isNew: true, ct);
    }

    private static AccountStoreKind Of(string word, string example) =>
        new(word, example, StoredForms.Password, static (context, source) => new SmtpStore((SmtpSource)source, context))
        {
            HasOwnKeys = true,
            Read = SmtpSource.Read,
            WhyNot = SmtpSource.WhyNot,
            Warn = SmtpSource.Warn,
        };
}
