namespace Postern.Commands.Output;

/// <summary>What <c>postern backup --json</c> prints.</summary>
/// <param name="Damage">One reason for each stretch of the queue that cannot be read.</param>
internal sealed record BackupDocument(string Directory, int Segments, int Messages, string[] Damage);
