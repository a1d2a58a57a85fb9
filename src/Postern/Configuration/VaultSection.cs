using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Stores.Vault;

namespace Postern.Configuration;

/// <summary>The section <c>vault</c>: where secrets are that are written <c>vault:path#key</c>.</summary>
/// <param name="Refresh">How often they are read again.</param>
internal sealed record VaultSection(VaultAccess Access, TimeSpan Refresh)
{
    /// <summary>Its name, below which no secret can be in Vault.</summary>
    public const string Key = "vault";

    public static VaultSection Read(Section section) => new(
        VaultAccess.Read(new StoreSection(section, kind: null)),
        section.Value(
            "refresh",
            Kinds.Duration,
            TimeSpan.FromMinutes(5),
            "`5m`",
            "How often the secrets are read again. One that was changed counts from then on, or from the next `postern reload`."));
}
