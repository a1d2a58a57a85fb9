using System.Collections.Immutable;
using Postern.Hosting.Control;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Verifiers;
using Postern.Relay.Runtime;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Web.Documents;

namespace Postern.Commands.Auth;

/// <summary>Asks everything that a login rests on, in the order in which a login does, and then tries the login itself.</summary>
/// <param name="listeners">Where it might come in.</param>
internal sealed class AuthTestInquiry(RelaySnapshot snapshot, string[] listeners, TimeProvider clock, SaslClientCredentials credentials)
{
    /// <param name="mechanism">Only this one, offered or not; null for all that are offered.</param>
    /// <param name="socket">Of a running server, which knows what slows logins.</param>
    public async Task<AuthTestDocument> RunAsync(string? mechanism, string socket, CancellationToken ct)
    {
        await snapshot.Accounts.LearnAsync(ct);
        var verifiers = listeners.Length == 1 ? snapshot.Accounts.On(listeners[0]).Verifiers : snapshot.Accounts.Verifiers;
        var visits = await verifiers.Descriptions.VisitAsync(credentials.User, ct);
        var known = await KnowingAsync(verifiers, ct);
        var attempts = await TryAsync(new LoginRehearsal(verifiers, credentials, clock), known, mechanism, ct);
        var canonical = LoginNames.TryCanonical(credentials.User, out var name) ? name : null;
        var (account, trouble) = await FindAccountAsync(verifiers, canonical, ct);
        var login = visits.FirstOrDefault(static v => v.Word == StoreWord.Knows)?.Login;
        var document = new AuthTestDocument(
            attempts.Any(static a => a.Ok),
            StoreWordDocument.Of(visits),
            attempts)
        {
            Name = canonical,
            Listeners = [.. known],
            Credentials = [.. login?.Credentials.Select(Describe) ?? []],
            Account = account is null ? null : new AccountDocument(
                account.Name, account.Enabled, account.Addresses, account.Domains, account.ActsAs, account.Tenant, account.Store),
            AccountTrouble = trouble,
        };
        if (canonical is not null)
            document = await WithServerAsync(document, socket, canonical, ct);
        return document with { Fix = LoginAdvice.For(document, visits, clock.GetUtcNow()) };
    }

    private async Task<ImmutableArray<LoginAttemptDocument>> TryAsync(
        LoginRehearsal rehearsal, string[] known, string? mechanism, CancellationToken ct)
    {
        var attempts = ImmutableArray.CreateBuilder<LoginAttemptDocument>();
        foreach (var one in SaslClientMechanisms.All)
        {
            if (mechanism is not null && !one.Name.Equals(mechanism, StringComparison.OrdinalIgnoreCase))
                continue;
            var offered = OffersOf(known, one.Name);
            if ((mechanism is not null || offered.Length > 0) && await rehearsal.RunAsync(one, ct) is { } attempt)
                attempts.Add(attempt with { Offered = offered.Length > 0 ? offered : AuthTestDocument.Nowhere });
        }

        return attempts.ToImmutable();
    }

    /// <summary>The listeners that ask the store which knows the user here; all of them where none does.</summary>
    private async ValueTask<string[]> KnowingAsync(AccountVerifiers verifiers, CancellationToken ct)
    {
        if (snapshot.Options.Accounts.StoresByListener.Count == 0
            || (await verifiers.Descriptions.FindLoginAsync(credentials.User, ct))?.Store is not { } store)
            return listeners;
        var knowing = new List<string>();
        foreach (var name in listeners)
        {
            if ((await snapshot.Accounts.On(name).Verifiers.Descriptions.FindLoginAsync(credentials.User, ct))?.Store == store)
                knowing.Add(name);
        }

        return [.. knowing];
    }

    /// <summary>The listeners where a client can use it, in clear or under TLS.</summary>
    private string OffersOf(string[] known, string mechanism) => string.Join(
        ", ", known.Where(name => Offers(name, isTls: true, mechanism) || Offers(name, isTls: false, mechanism)));

    private bool Offers(string listener, bool isTls, string mechanism) =>
        snapshot.MechanismsOn(listener, isTls).Contains(mechanism, StringComparer.OrdinalIgnoreCase);

    private static CredentialDocument Describe(StoredCredential credential) => new(
        credential.Name,
        credential.Hash.Description,
        [.. SaslMechanisms.All
            .Where(m => MechanismOffer.NeededBy(m) is not StoredForms.None and var needed && credential.Hash.Forms.HasFlag(needed))
            .Select(static m => m.Name)],
        credential.Hash.Weakness,
        credential.ExpiresAt);

    private static async ValueTask<(Account? Account, string? Trouble)> FindAccountAsync(
        AccountVerifiers verifiers, string? canonical, CancellationToken ct)
    {
        try
        {
            return canonical is null || verifiers.Accounts is null
                ? (null, null)
                : (await verifiers.Accounts.FindAccountAsync(canonical, ct), null);
        }
        catch (DirectoryUnavailableException e)
        {
            return (null, e.Message);
        }
    }

    /// <summary>What a running server knows: what it remembers of the user, and what slows its logins.</summary>
    private async Task<AuthTestDocument> WithServerAsync(AuthTestDocument document, string socket, string account, CancellationToken ct)
    {
        try
        {
            await using var server = await ControlClient.ConnectAsync(socket, ct);
            return server is null
                ? document with { Protection = new ProtectionDocument("no server runs, which would know", []) }
                : document with
                {
                    Protection = new ProtectionDocument(State: null, await server.BlocksAsync(account, ct)),
                    InServer = await server.AskStoresAsync(account, listeners.Length == 1 ? listeners[0] : null, ct),
                };
        }
        catch (IOException e)
        {
            return document with { Protection = new ProtectionDocument(e.Message, []) };
        }
    }
}
