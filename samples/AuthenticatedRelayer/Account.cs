using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Samples;

/// <summary>Who may log in, and which addresses are its own. It keeps a salted hash of the password.</summary>
internal sealed class Account
{
    private const int Rounds = 100_000;

    private readonly byte[] salt = RandomNumberGenerator.GetBytes(16);
    private readonly byte[] hash;
    private readonly HashSet<Mailbox> own;

    public Account(string name, string password, params IEnumerable<string> addresses)
    {
        Name = name;
        hash = Hash(Encoding.UTF8.GetBytes(password));
        own = [.. addresses.Select(Mailbox.Parse)];
    }

    /// <summary>Stands in for users that do not exist, so that they cost the same time. Nobody knows its password.</summary>
    public static Account Nobody { get; } = new(string.Empty, RandomNumberGenerator.GetHexString(32));

    public string Name { get; }

    public bool Matches(Password given) => CryptographicOperations.FixedTimeEquals(hash, Hash(given.Octets.Span));

    public bool Owns(ReversePath sender) => sender.Mailbox is { } mailbox && own.Contains(mailbox);

    private byte[] Hash(ReadOnlySpan<byte> octets) => Rfc2898DeriveBytes.Pbkdf2(octets, salt, Rounds, HashAlgorithmName.SHA256, 32);
}
