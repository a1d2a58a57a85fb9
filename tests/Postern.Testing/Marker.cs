namespace Postern.Testing;

/// <summary>Marks the assembly until its first fixture stands here.</summary>
internal static class Marker;
