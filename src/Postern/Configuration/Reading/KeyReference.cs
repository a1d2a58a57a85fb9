namespace Postern.Configuration.Reading;

/// <summary>What the reference says about one key; a key whose <paramref name="Type"/> is null opens a section.</summary>
internal sealed record KeyReference(string Path, string? Type, string? Default, string Doc);
