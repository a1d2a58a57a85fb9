namespace Postern.Commands.Auth;

/// <summary>What one store says of the user.</summary>
internal sealed record StoreWordDocument(string Store, string Says);
