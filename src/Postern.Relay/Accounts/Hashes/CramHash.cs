using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// <c>{CRAM-MD5}</c> or <c>{HMAC-MD5}</c> as Dovecot stores it: the two states of HMAC-MD5 (RFC 2104 §4) behind the key. It answers
/// CRAM-MD5 without the password, and whoever has it can log in by that.
/// </summary>
internal sealed class CramHash : PasswordHash
{
    public static readonly HashFamily Family = new(TryParse, static stored => SchemeWord.Of(stored) is { Name: "CRAM-MD5" or "HMAC-MD5" });

    private readonly byte[] states;

    private CramHash(string stored, byte[] states)
        : base(stored) => this.states = states;

    public override string Scheme => "{CRAM-MD5}";

    public override string Description => "a CRAM-MD5 secret";

    public override string Weakness => "one fast digest without a salt, and as good as the password for CRAM-MD5";

    public override StoredForms Forms => StoredForms.Password | StoredForms.Shared;

    public override HashCost Cost => new("hmac-md5", 1);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var i = 0; i < cost.Units; i++)
            Verify(password);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        var key = new byte[Md5State.BlockOctets];
#pragma warning disable CA5351 // RFC 2104 with MD5 is what is stored
        var folded = password.Length > key.Length ? MD5.HashData(password) : password;
#pragma warning restore CA5351
        folded.CopyTo(key);
        Span<byte> computed = stackalloc byte[2 * Md5State.Size];
        StateAfter(key, 0x5c).Write(computed);
        StateAfter(key, 0x36).Write(computed[Md5State.Size..]);
        CryptographicOperations.ZeroMemory(key);
        return HashAnswer.Of(CryptographicOperations.FixedTimeEquals(computed, states));
    }

    /// <summary>HMAC-MD5 of a challenge under the password that is not here.</summary>
    public ReadOnlyMemory<byte> Answer(ReadOnlyMemory<byte> challenge) =>
        Md5State.Read(states).Finish(Md5State.Read(states.AsSpan(Md5State.Size)).Finish(challenge.Span));

    private static Md5State StateAfter(byte[] key, byte pad)
    {
        Span<byte> block = stackalloc byte[Md5State.BlockOctets];
        for (var i = 0; i < block.Length; i++)
            block[i] = (byte)(key[i] ^ pad);
        return Md5State.Start.After(block);
    }

    private static CramHash? TryParse(string stored) =>
        SchemeWord.Of(stored) is { Name: "CRAM-MD5" or "HMAC-MD5" } word
            && word.Octets(2 * Md5State.Size) is { Length: 2 * Md5State.Size } states ? new CramHash(stored, states) : null;
}
