namespace Postern.Machine;

/// <summary>What is wrong, in one line, and what to do about it, in one line.</summary>
internal sealed record Problem(string What, string Todo);
