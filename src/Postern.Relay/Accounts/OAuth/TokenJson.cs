using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>How JSON from issuers and clients is read: bounded in depth, and a member that comes twice is an error, for two readers may take different ones.</summary>
internal static class TokenJson
{
    public static JsonDocumentOptions Options { get; } = new() { MaxDepth = 16, AllowDuplicateProperties = false };
}
