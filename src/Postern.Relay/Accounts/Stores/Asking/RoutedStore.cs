using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// A store that is asked for some logins only, by their names; all others it does not know, and whether it answers does not concern them.
/// What its users cost counts for everybody, so that who fails costs the same, asked here or not.
/// </summary>
internal sealed class RoutedStore(IAccountStore inner, LoginPatterns logins) : IAccountStore
{
    public IAccountStore Inner => inner;

    public string Name => inner.Name;

    public StoredForms Forms => inner.Forms;

    public StoredForms CommonForms => inner.CommonForms;

    public HashCosts Costs => inner.Costs;

    public string Realm => inner.Realm;

    public bool AnswersFromMemory => inner.AnswersFromMemory;

    public LoginPatterns Logins => logins;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        logins.Include(user) ? inner.FindAsync(user, ct) : new(StoredLogin.Nobody);

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        inner.CheckPasswordAsync(user, password, ct);

    public bool AsksForClient => inner.AsksForClient;

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, LoginClient client, CancellationToken ct) =>
        inner.CheckPasswordAsync(user, password, client, ct);

    public ValueTask<LoginAnswer?> CheckNobodyAsync(CancellationToken ct) => inner.CheckNobodyAsync(ct);

    public IMechanismStore? OwnMechanisms => inner.OwnMechanisms;

    public ValueTask<string?> ProbeAsync(CancellationToken ct) => inner.ProbeAsync(ct);

    public void Dispose() => inner.Dispose();
}
