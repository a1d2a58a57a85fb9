using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;

namespace EmbeddedSubmission;

/// <summary>Checks one user's password. A real program asks its own database, and answers Unavailable when that is down.</summary>
internal sealed class OneUser(string name, string secret) : IPasswordVerifier
{
    public ValueTask<PasswordCheck> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var matches = CryptographicOperations.FixedTimeEquals(SHA256.HashData(password.Span), SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
        return new(matches && user == name ? new PasswordCheck.Match(name) : new PasswordCheck.NoMatch("wrong user or password", UserExists: user == name));
    }
}
