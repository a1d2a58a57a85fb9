using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Web.Access;

/// <summary>A person shows name, password and one-time code. All who fail get one answer, after the same work.</summary>
/// <param name="directory">Stays the caller's, like all that is given.</param>
/// <param name="hashing">Where passwords are checked, beside those of mail.</param>
internal sealed class SignIn(
    SqliteDirectory directory, Sessions sessions, HashingPool hashing, SignInGuard guard, IAuditLog audit, TimeProvider clock)
{
    /// <summary>In the log, in the place of the name of a listener.</summary>
    public const string Listener = "web";

    private const string Mechanism = "PASSWORD+TOTP";

    /// <summary>Longer ones are wrong; RFC 4616 §2 knows 255 characters.</summary>
    private const int MaxPassword = 1_024;

    private static readonly TimeSpan Crowded = TimeSpan.FromSeconds(5);

    /// <summary>What one password of an operator costs; nobody has such a one.</summary>
    private static readonly HashCosts Cost = HashCosts.Of([PasswordHash.Parse(string.Create(
        CultureInfo.InvariantCulture,
        $"SCRAM-SHA-256${ScramHash.TypedIterations}:{Noise(16)}${Noise(32)}:{Noise(32)}"))]);

    private readonly VerificationCache digests = new(clock);

    /// <exception cref="DirectoryUnavailableException">It cannot be said whether they are right.</exception>
    public async ValueTask<SignInAnswer> TryAsync(SignInRequest request, IPAddress client, CancellationToken ct)
    {
        var address = (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).ToString();
        var name = LoginNames.TryCanonical(request.Name.Trim(), out var canonical) ? canonical : string.Empty;
        var turn = guard.Enter(name, address, ct);
        var (outcome, secret, isUser) = (LoginOutcome.Unchecked, default(VerificationKey), false);
        try
        {
            if (!await turn.IsLetInAsync())
                return new SignInAnswer.Later(LoginProtection.ComeAgain);
            var row = await FindAsync(name, ct);
            isUser = row is not null;
            var login = row?.Login ?? new StoredLogin(name, "there is no such operator", []);
            var password = Encoding.UTF8.GetBytes(request.Password.Reveal() is { Length: <= MaxPassword } text ? text : "\0");
            var key = digests.KeyFor(Listener, login, password);
            var answer = await hashing.CheckAsync(key, login, password, Cost, address, isKnown: false, clock.GetUtcNow(), ct);
            CryptographicOperations.ZeroMemory(password);
            switch (answer)
            {
                case LoginAnswer.Found<StoredCredential> when row is not null && login.Refusal is null:
                    // Each wrong code counts, and none is like another: the password is not what is guessed.
                    outcome = TakeCode(row, request.OneTimeCode) ? LoginOutcome.Right : LoginOutcome.Wrong;
                    if (outcome == LoginOutcome.Wrong)
                        return Refused(row.Name, address, "the password is right, and the one-time code is wrong or was used");
                    var signedIn = sessions.Begin(row, client, request.Agent, request.Cookie);
                    audit.Append(EventOf(address, row.Name, row.Tenant, AuthOutcome.Ok, "ok", signedIn.Session));
                    return new SignInAnswer.Welcome(signedIn);
                case LoginAnswer.Found<StoredCredential> or LoginAnswer.NoMatch:
                    (outcome, secret) = (LoginOutcome.Wrong, key);
                    return Refused(row?.Name ?? LoginNames.Mask(request.Name), address, login.Refusal ?? "wrong password");
                default:
                    return new SignInAnswer.Later(Crowded);
            }
        }
        catch (OperationCanceledException)
        {
            // The work is done, or half done: who leaves before the answer pays for it.
            outcome = LoginOutcome.Unanswered;
            throw;
        }
        finally
        {
            await guard.SettleAsync(turn, outcome, secret, isUser);
        }
    }

    private async ValueTask<OperatorRow?> FindAsync(string name, CancellationToken ct) => (await directory.FindAsync(
        $"operator named {name}", sql => new StrongBox<OperatorRow?>(OperatorRow.Find(sql, name)), ct)).Value;

    /// <summary>True once for a code, and only while the operator is what was looked at.</summary>
    private bool TakeCode(OperatorRow row, string code) =>
        row.Totp is { } totp
        && OneTimeCode.StepOf(totp, code, clock.GetUtcNow(), row.TotpStep) is { } step
        && directory.Write(sql => sql.Execute(
            "update operators set totp_step = @step where id = @Id and totp_step < @step and generation = @Generation",
            new { step, row.Id, row.Generation })) > 0;

    private SignInAnswer.No Refused(string name, string address, string reason)
    {
        audit.Append(EventOf(address, name, tenant: null, AuthOutcome.Failed, reason, session: null));
        return SignInAnswer.No.Instance;
    }

    private LoginEvent EventOf(string address, string name, string? tenant, AuthOutcome outcome, string reason, long? session) =>
        new(
            clock.GetUtcNow(),
            new EventOrigin(
                $"web-{session?.ToString(CultureInfo.InvariantCulture) ?? RandomNumberGenerator.GetHexString(8)}", Listener, address)
            {
                User = name,
                Tenant = tenant,
            },
            Mechanism,
            outcome,
            reason)
        {
            Service = "console",
            Cause = new AuditCause(
                AuditKind.Auth, IPAddress.Parse(address), session is null ? null : name, session is null ? "failed" : "ok"),
        };

    private static string Noise(int octets) => Convert.ToBase64String(RandomNumberGenerator.GetBytes(octets));
}

/// <summary>What a person shows to sign in.</summary>
/// <param name="OneTimeCode">As the authenticator shows it.</param>
internal sealed record SignInRequest(string Name, Secret Password, string OneTimeCode)
{
    /// <summary>The cookie that the browser has: its session ends with success. Null for none.</summary>
    public string? Cookie { get; init; }

    /// <summary>What the browser says of itself.</summary>
    public string? Agent { get; init; }

    /// <summary>Nothing that counts.</summary>
    public override string ToString() => "***";
}

/// <summary>What became of it.</summary>
internal abstract record SignInAnswer
{
    private SignInAnswer()
    {
    }

    /// <summary>The same for a name that is none, a wrong password, a wrong code, a code that was used, and who may not.</summary>
    public const string NoText = "Name, password or code is not right.";

    public sealed record Welcome(SignedIn Session) : SignInAnswer;

    public sealed record No : SignInAnswer
    {
        private No()
        {
        }

        public static No Instance { get; } = new();
    }

    /// <summary>Nothing was checked: too many guesses, or too many at once.</summary>
    public sealed record Later(TimeSpan After) : SignInAnswer;
}
