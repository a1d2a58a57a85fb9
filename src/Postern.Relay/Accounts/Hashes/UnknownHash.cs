namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A stored text that is no hash we know. It logs nobody in: a client is told what it is told of a wrong password, the log says why.
/// </summary>
internal sealed class UnknownHash(string stored) : PasswordHash(stored)
{
    public override string Scheme => "unknown";

    public override string Description => ForeignHash.Look(Stored) ?? "a hash of an unknown form";

    public override StoredForms Forms => StoredForms.None;

    /// <summary>What is wrong, for an operator; it quotes nothing that may be a password.</summary>
    public string Problem => Stored switch
    {
        _ when ForeignHash.IsLocked(Stored) =>
            $"{Description}: it logs nobody in; a readable password that begins so is written {SharedHash.Prefix}",
        _ when string.IsNullOrWhiteSpace(Stored) => "the password is empty",
        _ when SharedHash.Claims(Stored) => "the password is empty, or holds a control character, or one that is no text",
        _ when HashSchemes.Families.FirstOrDefault(f => f.Claims(Stored)) is { } family =>
            $"{Description} that cannot be verified here: it is damaged"
                + (family.Limits is { } limits
                    ? $", other fields stand behind it, or its cost is above {limits}"
                    : " or other fields stand behind it"),
        _ =>
            $"{Description}, which cannot be verified here, so it logs nobody in; "
                + $"a readable password that begins so is written {SharedHash.Prefix}",
    };

    public override HashAnswer Verify(ReadOnlySpan<byte> password) => new HashAnswer.Unusable(Problem);
}
