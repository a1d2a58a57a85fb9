using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores.Answers;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary><c>vault://mount/path</c>: one secret a user, in a KV engine of version 2 of Vault or OpenBao, at <c>path/USER</c>.</summary>
internal sealed class VaultStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = new(
        "vault",
        "vault://secret/smtp-auth",
        StoredForms.All,
        static (context, source) => new VaultStore((VaultSource)source, context.Clock))
    {
        HasOwnKeys = true,
        Read = VaultSource.Read,
        CommonForms = static _ => StoredForms.Password,
        WhyNot = VaultSource.WhyNot,
        Warn = VaultSource.Warn,
    };

    private readonly VaultSource source;
    private readonly VaultClient vault;

    private VaultStore(VaultSource source, TimeProvider clock) => (this.source, vault) = (source, new VaultClient(source.Access, clock));

    public string Name => source.Uri;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms => StoredForms.Password;

    public string Realm => source.Realm;

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        if (!VaultPath.CanBePart(user))
            return StoredLogin.Nobody;
        switch (await vault.ReadAsync(source.Mount, source.PathTo(user), ReadablePath, ct))
        {
            case VaultAnswer.Nothing:
                return StoredLogin.Nobody;
            case VaultAnswer.Unavailable(var reason):
                return new LoginAnswer.Unavailable(reason);
            case VaultAnswer.Found(var secret):
                var facts = new UserFacts(user, "it is of more than one account");
                if (AccountJson.Text(secret, "user") is { Length: > 0 } other && other != user)
                    return new LoginAnswer.Unavailable(
                        "the secret is of another user: its field 'user' is not the name that was asked for");
                return AccountJson.Read(secret, facts, source.Field) is { } problem
                    ? new LoginAnswer.Unavailable(problem)
                    : facts.ToLogin().ToAnswer();
            default:
                throw new InvalidOperationException("a new answer");
        }
    }

    public void Dispose() => vault.Dispose();

    /// <summary>What a policy must let this server read.</summary>
    private string ReadablePath => source.PathTo("*");
}
