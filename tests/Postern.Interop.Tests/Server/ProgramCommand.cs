namespace Postern.Interop.Tests.Server;

/// <summary>A program with what it is given.</summary>
public sealed record ProgramCommand(string Program, IReadOnlyList<string> Arguments)
{
    public string? Input { get; init; }

    /// <summary>Octets for standard input, in place of <see cref="Input"/>.</summary>
    public byte[]? InputOctets { get; init; }

    public string? WorkingDirectory { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
