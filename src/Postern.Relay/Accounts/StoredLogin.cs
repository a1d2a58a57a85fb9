using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>All that a store knows about one user: what its login is checked against, and what it may send as. Immutable.</summary>
public sealed class StoredLogin
{
    /// <summary>The refusal of an account that was disabled.</summary>
    public const string Disabled = "the account is disabled";

    /// <summary>Devices that one user has at work at the same time.</summary>
    private const int MostViews = 4;

    private readonly byte[] stamp;
    private readonly bool isLimited;
    private volatile View[] views = [];
    private HashCosts? costs;
    private Account? account;
    private LoginAnswer.Found<StoredLogin>? answer;

    public StoredLogin(string user, string? refusal, ImmutableArray<StoredCredential> credentials)
    {
        User = user;
        Refusal = refusal;
        Credentials = credentials;
        isLimited = credentials.Any(static c => !c.Limits.IsNone);
        stamp = StampOf(this);
    }

    /// <summary>What a store says of a name that it does not know.</summary>
    public static LoginAnswer Nobody { get; } = new LoginAnswer.NoMatch("unknown user");

    /// <summary>The canonical name.</summary>
    public string User { get; }

    /// <summary>Why no password logs this user in, such as a disabled account; null when the right one does.</summary>
    public string? Refusal { get; }

    /// <summary>The account may not be used at all, however it proves itself. False for one that only lacks a credential.</summary>
    public bool IsDisabled { get; init; }

    public ImmutableArray<StoredCredential> Credentials { get; }

    /// <summary>
    /// The store checks the password itself (<see cref="IAccountStore.CheckPasswordAsync(string, Password, CancellationToken)"/>),
    /// and there are no credentials here.
    /// </summary>
    public bool IsCheckedByStore { get; init; }

    /// <summary>
    /// Of nobody can the store say that it knows him before his password is right. Good for that, and not for whom a token, a ticket or a
    /// certificate has proven.
    /// </summary>
    public bool IsPresumed { get; init; }

    /// <summary>What the user may send as; unless it is set, its own name, where that is an address.</summary>
    public Account Account
    {
        get => account ??= Account.Of(User, !IsDisabled);
        init => account = value;
    }

    /// <summary>
    /// It is there for rights and can log nobody in, so another store may: an account that is not disabled and has no credential.
    /// </summary>
    public bool LeavesLogin => Credentials.IsEmpty && !IsDisabled && !IsCheckedByStore;

    /// <summary>What a wrong password costs.</summary>
    public HashCosts Costs => costs ??= HashCosts.Of(Credentials.Select(static c => c.Hash));

    /// <summary>
    /// A digest of everything above: two logins have the same stamp only when nothing that matters to logging in differs.
    /// Remembered verifications are keyed on it, so any change forgets them.
    /// </summary>
    public ReadOnlySpan<byte> Stamp => stamp;

    /// <summary>What the store says of this user; one object, however often it is asked.</summary>
    public LoginAnswer.Found<StoredLogin> ToAnswer() => answer ??= new(User, this, Refusal);

    /// <summary>The same user, who may not log in.</summary>
    public StoredLogin Disable() =>
        new(User, Disabled, Credentials)
        {
            IsDisabled = true,
            IsCheckedByStore = IsCheckedByStore,
            IsPresumed = IsPresumed,
            Account = Account with { Enabled = false },
        };

    /// <summary>The credential of this <see cref="StoredCredential.Id"/>; null where there is none.</summary>
    public StoredCredential? Find(string id)
    {
        foreach (var credential in Credentials)
        {
            if (string.Equals(credential.Id, id, StringComparison.Ordinal))
                return credential;
        }

        return null;
    }

    /// <summary>
    /// The same user as it can log in from there: credentials that may not be used there are found and refused. Itself where nothing
    /// stands against any of them.
    /// </summary>
    internal StoredLogin SeenFrom(LoginOrigin origin)
    {
        if (!isLimited)
            return this;
        var known = views;
        foreach (var view in known)
        {
            if (view.Origin == origin)
                return view.Login;
        }

        var login = Seen(origin);
        views = [new View(origin, login), .. known.Take(MostViews - 1)];
        return login;
    }

    private StoredLogin Seen(LoginOrigin origin)
    {
        var seen = Credentials;
        for (var i = 0; i < seen.Length; i++)
        {
            if (seen[i].WhyNot(origin) is { } obstacle)
                seen = seen.SetItem(i, seen[i] with { Obstacle = obstacle });
        }

        return seen == Credentials
            ? this
            : new StoredLogin(User, Refusal, seen) { IsDisabled = IsDisabled, Account = Account };
    }

    public override string ToString() => User;

    /// <summary>The user as it was seen from a place.</summary>
    private sealed record View(LoginOrigin Origin, StoredLogin Login);

    private static byte[] StampOf(StoredLogin login)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, login.User);
        Append(hash, login.Refusal ?? string.Empty);
        foreach (var credential in login.Credentials)
        {
            Append(hash, credential.Name);
            Append(hash, credential.Hash.Stored);
            Append(hash, credential.ExpiresAt?.UtcTicks.ToString(CultureInfo.InvariantCulture) ?? "never");
            if (login.isLimited)
                Append(hash, $"{credential.Limits}; {(credential.Obstacle is null ? "may" : "may not")}");
        }

        return hash.GetHashAndReset();
    }

    private static void Append(IncrementalHash hash, string field)
    {
        var octets = Encoding.UTF8.GetBytes(field);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, octets.Length);
        hash.AppendData(length);
        hash.AppendData(octets);
    }
}
