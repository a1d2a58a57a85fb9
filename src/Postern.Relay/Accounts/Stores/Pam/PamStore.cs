using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Pam;

/// <summary>
/// <c>pam:SERVICE</c>: passwords that the modules of this machine check. Who there is they say with the password only. Modules run in this
/// process, on threads of their own.
/// </summary>
internal sealed class PamStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = new(
        "pam",
        "pam:smtp",
        StoredForms.Password,
        static (context, source) => new PamStore((PamSource)source, context.Clock))
    {
        HasOwnKeys = true,
        Read = PamSource.Read,
        WhyNot = PamSource.WhyNot,
        Warn = PamSource.Warn,
    };

    private readonly PamSource source;

    private PamStore(PamSource source, TimeProvider clock)
    {
        this.source = source;
        Threads = new PamThreads(source.Service, source.Terms.MostQuestions, source.Terms.Timeout, clock);
    }

    public string Name => source.Uri;

    public StoredForms Forms => Kind.Forms;

    public string Realm => source.Realm;

    /// <summary>Modules such as pam_access look at the address.</summary>
    public bool AsksForClient => true;

    /// <summary>Where the modules are.</summary>
    internal PamThreads Threads { get; }

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => new(source.NameOf(user) is { } name
        ? new StoredLogin(user, refusal: null, [])
        {
            IsCheckedByStore = true,
            IsPresumed = true,
            Account = source.AccountOf(name),
        }.ToAnswer()
        : StoredLogin.Nobody);

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        CheckPasswordAsync(user, password, client: default, ct);

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, LoginClient client, CancellationToken ct)
    {
        if (source.NameOf(user) is not { } name)
            return StoredLogin.Nobody;
        var octets = password.Octets;
        if (octets.IsEmpty || octets.Length > LibPam.MaxPasswordOctets || octets.Span.Contains((byte)0))
            return new LoginAnswer.NoMatch("a password that PAM is not asked about: empty, longer than 511 octets, or with NUL");
        if (!File.Exists(source.ServiceFile))
            return new LoginAnswer.Unavailable($"there is no {source.ServiceFile}");

        // Whoever waits may leave, and takes the password with him.
        var copy = octets.ToArray();
        var (service, folder) = (source.Service, source.Folder);
        if (Threads.TryRun(() => Ask(service, folder, name, copy, client.Address), out var asked))
            return (await asked.WaitAsync(ct)).ToAnswer(user);
        CryptographicOperations.ZeroMemory(copy);
        return new LoginAnswer.Busy(Threads.Hanging ?? "as many logins as there may be are with its modules");
    }

    /// <summary>For operators: the file is there, its modules load and answer, and none hangs.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct)
    {
        if (Threads.Hanging is { } hanging)
            return hanging;
        return await CheckPasswordAsync("nobody-7d41c0e6a2f3", new Password(Encoding.UTF8.GetBytes("none")), client: default, ct) switch
        {
            LoginAnswer.Match => "it takes any password for any name",
            { WhyOpen: { } why } => why,
            _ => null,
        };
    }

    private static PamResult Ask(string service, string? folder, string user, byte[] password, string? client)
    {
        try
        {
            return LibPam.Check(service, folder, user, password, client);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(password);
        }
    }
}
