namespace Postern.Web.Pages;

/// <summary>One thing that is known: what it is, and what it says. The text may come from the network.</summary>
/// <param name="Url">A page of ours that tells more; null where none does.</param>
public sealed record Fact(string Label, string Text, string? Url = null);
