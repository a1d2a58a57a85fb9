using System.Collections.Immutable;

namespace Postern.Relay.Admin.Import;

/// <summary>What became of an import, or would become of it. Nothing in it is a secret.</summary>
/// <param name="IsDryRun">Nothing was written.</param>
/// <param name="Accounts">Accounts that were added.</param>
/// <param name="Disabled">Those of them that cannot log in until they are enabled.</param>
/// <param name="Passwords">Passwords that were added.</param>
/// <param name="Rights">Addresses and domains that accounts may now send as, beside the own address of a new one.</param>
/// <param name="Unchanged">Lines that say what was so already.</param>
/// <param name="NotTaken">Lines, or parts of them, that were left.</param>
/// <param name="Notes">Lines that were taken otherwise than they stand there.</param>
/// <param name="Weak">What is to be said of the forms of the passwords that were added; null for nothing.</param>
public sealed record ImportReport(
    bool IsDryRun, int Accounts, int Disabled, int Passwords, int Rights, int Unchanged, ImmutableArray<ImportReport.Remark> NotTaken, ImmutableArray<ImportReport.Remark> Notes, string? Weak)
{
    /// <summary>Something is different now, or would be.</summary>
    public bool HasChanged => Accounts + Passwords + Rights > 0;

    /// <param name="Account">Null where the line names none that there can be.</param>
    public sealed record Remark(string File, int Line, string? Account, string Why);
}
