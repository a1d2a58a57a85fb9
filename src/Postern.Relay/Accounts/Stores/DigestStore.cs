using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// <c>digest:///path</c>: <c>user:realm:hash</c> a line, as <c>htdigest</c> and <c>postern passwd</c> write it. Lines of other realms are
/// passed over.
/// </summary>
internal sealed class DigestStore(CredentialFile file, string realm) : IAccountStore
{
    public static readonly AccountStoreKind Kind = new(
        "digest",
        "digest:///etc/postern/digest",
        StoredForms.Password | StoredForms.Digest,
        static (context, source) => new DigestStore(
            new CredentialFile(source.Uri, line => ReadLine(line, source.Realm), context), source.Realm))
    {
        AnswersFromMemory = true,
        WhyNot = CredentialFile.WhyNot,
        Warn = static source => CredentialFile.Warn(source, line => ReadLine(line, source.Realm)),
    };

    public string Name => file.Name;

    public StoredForms Forms => Kind.Forms;

    public HashCosts Costs => file.Costs;

    public string Realm => realm;

    public bool AnswersFromMemory => true;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => new(file.Find(user));

    private static CredentialLine ReadLine(string line, string realm) => DigestHash.TryParse(DigestHash.Prefix + line) switch
    {
        null => CredentialLine.Wrong("it is not 'user:realm:' and 32 hexadecimal digits"),
        { Realm: var other } when other != realm => CredentialLine.Wrong($"its realm is '{other}', not '{realm}'"),
        { User: var user } hash => new CredentialLine(user, hash, Problem: null),
    };
}
