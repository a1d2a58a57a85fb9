using System.Text;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Testing;

/// <summary>Passwords given as <c>user:password</c>; the user <c>down</c> stands for a store that cannot answer, <c>weak</c>
/// may not log in by a password; everybody may act as <c>shared</c>.</summary>
public sealed class TestPasswords(params IEnumerable<string> accounts) : IPasswordVerifier, IAuthorizationGrants
{
    private readonly Dictionary<string, string> passwords = accounts.Select(static a => a.Split(':', 2)).ToDictionary(static p => p[0], static p => p[1]);

    public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) =>
        new(user == "down" ? new LoginAnswer.Unavailable("the store is down")
            : user == "weak" ? new LoginAnswer.Refused(SaslError.TooWeak, "too weak")
            : passwords.TryGetValue(user, out var expected) && Encoding.UTF8.GetBytes(expected).AsSpan().SequenceEqual(password.Span) ? new LoginAnswer.Match(user)
            : new LoginAnswer.NoMatch("wrong", passwords.ContainsKey(user)));

    public ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct) =>
        new(authorizationId == "shared" ? new LoginAnswer.Match(authorizationId) : new LoginAnswer.NoMatch("no grant", UserExists: false));
}
