namespace Postern.Web.Parts;

/// <summary>One view of several.</summary>
/// <param name="Word">As the address has it.</param>
/// <param name="Count">What is in it; null where that is not known.</param>
public sealed record Tab(string Word, string Name, string Url, int? Count = null);
