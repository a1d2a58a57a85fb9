using System.Collections.Immutable;
using Postern.Relay.Admin.Import;

namespace Postern.Commands.Accounts;

/// <summary>What <c>account import --json</c> prints.</summary>
internal sealed record ImportDocument(ImmutableArray<ImportDocument.Source> Files, bool HasChanged, ImportReport Report)
{
    /// <param name="IsGuessed">Nobody said what format it is.</param>
    internal sealed record Source(string File, string Format, bool IsGuessed);
}
