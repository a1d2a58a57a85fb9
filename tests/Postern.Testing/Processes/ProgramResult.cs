namespace Postern.Testing.Processes;

/// <summary>What a program that has ended left behind.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Error);
