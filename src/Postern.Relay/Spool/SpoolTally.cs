namespace Postern.Relay.Spool;

/// <summary>How many messages of a spool are in which condition. What is claimed is counted as nothing else.</summary>
/// <param name="Held">By an operator or by the server.</param>
/// <param name="HeldByServer">Those of them that the server holds for errors of its own.</param>
/// <param name="Claimed">Somebody works on them now.</param>
public readonly record struct SpoolTally(int Held, int HeldByServer, int Claimed);
