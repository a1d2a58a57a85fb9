using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Bench;

/// <summary>Users <c>user0</c> and so on, whom somebody knows who takes his time: for each look-up, and for each password, which he checks himself.</summary>
internal sealed class FarUsers(int count, TimeSpan latency) : IAccountStore
{
    public const string Password = "tiger-lily-9";

    public string Name => "far";

    public StoredForms Forms => StoredForms.Password;

    public string Realm => RelayUsers.Realm;

    public static string User(int number) => string.Create(CultureInfo.InvariantCulture, $"user{number}");

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        await Task.Delay(latency, ct);
        return Knows(user) ? new StoredLogin(user, refusal: null, []) { IsCheckedByStore = true }.ToAnswer() : StoredLogin.Nobody;
    }

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct)
    {
        await Task.Delay(latency, ct);
        return password.Matches(Password) ? new LoginAnswer.Match(user) : new LoginAnswer.NoMatch("wrong password", UserExists: true);
    }

    private bool Knows(string user) =>
        user.StartsWith("user", StringComparison.Ordinal) && int.TryParse(user.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < count;
}

/// <summary>The same users at hand, all with one stored password.</summary>
internal sealed class NearUsers(int count, PasswordHash hash) : IAccountStore
{
    private readonly StoredLogin[] users =
        [.. Enumerable.Range(0, count).Select(i => new StoredLogin(FarUsers.User(i), refusal: null, [new StoredCredential("1", hash, ExpiresAt: null)]))];

    public string Name => "near";

    public StoredForms Forms => StoredForms.Password;

    public HashCosts Costs => users[0].Costs;

    public string Realm => RelayUsers.Realm;

    public bool AnswersFromMemory => true;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        new(user.StartsWith("user", StringComparison.Ordinal) && int.TryParse(user.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < users.Length
            ? users[number].ToAnswer()
            : StoredLogin.Nobody);
}
