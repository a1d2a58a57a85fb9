using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary><c>digest:///path</c>: <c>user:realm:hash</c> a line, as <c>htdigest</c> and <c>postern passwd</c> write it. Lines of other realms are passed over.</summary>
internal sealed class DigestStore(CredentialFile file, string realm) : ILocalAccounts
{
    public static readonly AccountStoreKind Kind = new(
        "digest",
        "digest:///etc/postern/digest",
        StoredForms.Password | StoredForms.Digest,
        static _ => StoredForms.Password | StoredForms.Digest,
        CredentialFile.WhyNot,
        static (context, source) => new DigestStore(new CredentialFile(source.Uri, line => ReadLine(line, source.Realm), context), source.Realm),
        static source => CredentialFile.Warn(source, line => ReadLine(line, source.Realm)));

    public string Name => file.Name;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms => Forms;

    public HashCosts Costs => file.Costs;

    public string Realm => realm;

    public StoreAnswer Find(string user) => file.Find(user);

    public ValueTask<StoreAnswer> FindAsync(string user, CancellationToken ct) => new(file.Find(user));

    private static CredentialLine ReadLine(string line, string realm) => DigestHash.TryParse(DigestHash.Prefix + line) switch
    {
        null => CredentialLine.Wrong("it is not 'user:realm:' and 32 hexadecimal digits"),
        { Realm: var other } when other != realm => CredentialLine.Wrong($"its realm is '{other}', not '{realm}'"),
        { User: var user } hash => new CredentialLine(user, hash, Problem: null),
    };
}
