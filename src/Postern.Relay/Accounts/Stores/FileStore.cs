using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// <c>file:///path</c>: a line a user, <c>user:password</c>. The password is itself, so that every mechanism can be answered, or any stored
/// form that <see cref="PasswordHash.Parse"/> knows. What looks like a form that it does not know is no password.
/// </summary>
internal sealed class FileStore(CredentialFile file, string realm) : IAccountStore
{
    public static readonly AccountStoreKind Kind = new(
        "file",
        "file:///etc/postern/passwd",
        StoredForms.All,
        static (context, source) => new FileStore(new CredentialFile(source.Uri, ReadLine, context), source.Realm))
    {
        AnswersFromMemory = true,
        CommonForms = static source => CredentialFile.CommonForms(source, ReadLine),
        WhyNot = CredentialFile.WhyNot,
        Warn = static source => CredentialFile.Warn(source, ReadLine),
    };

    public string Name => file.Name;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms => file.CommonForms();

    public HashCosts Costs => file.Costs;

    public string Realm => realm;

    public bool AnswersFromMemory => true;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => new(file.Find(user));

    /// <summary>Everything behind the first colon is the password.</summary>
    internal static CredentialLine ReadLine(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1)
            return CredentialLine.Wrong("it is not 'user:password'");
        var secret = line[(colon + 1)..];
        if (secret.Length == 0)
            return CredentialLine.Wrong("the password is empty");
        var hash = PasswordHash.Parse(secret);
        if (hash is not UnknownHash unknown)
            return new CredentialLine(line[..colon], hash, Problem: null);
        if (ForeignHash.Look(secret) is not null)
            return new CredentialLine(line[..colon], unknown, unknown.Problem);
        return SharedHash.Create(secret) is { } shared
            ? new CredentialLine(line[..colon], shared, Problem: null)
            : CredentialLine.Wrong("the password holds a control character, or one that is no text");
    }
}
