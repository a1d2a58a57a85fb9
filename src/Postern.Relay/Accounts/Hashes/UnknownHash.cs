namespace Postern.Relay.Accounts.Hashes;

/// <summary>A stored text that is no hash we know. A login against it is a fault of the store, not of the user.</summary>
internal sealed class UnknownHash(string stored) : PasswordHash(stored)
{
    public override string Scheme => "unknown";

    public override string Description => "a hash of an unknown form";

    public override StoredForms Forms => StoredForms.None;

    public override HashAnswer Verify(ReadOnlySpan<byte> password) => new HashAnswer.Unavailable("the stored hash has an unknown form");
}
