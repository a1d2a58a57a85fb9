using System.Collections.Immutable;

namespace Postern.Commands.Output;

/// <summary>What <c>postern check --json</c> prints.</summary>
internal sealed record CheckDocument(bool Ok, string Source, ImmutableArray<CheckDocument.Finding> Errors, ImmutableArray<CheckDocument.Finding> Warnings)
{
    /// <param name="Line">0 where no place in the file is meant.</param>
    internal sealed record Finding(string? File, int Line, int Column, string Key, string Message, string? Expected, string? Nearest);
}
