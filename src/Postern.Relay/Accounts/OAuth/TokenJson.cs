using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// How JSON from issuers and clients is read: bounded in depth, and a member that comes twice is an error, for two readers may take
/// different ones.
/// </summary>
internal static class TokenJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>
    /// Reads a document of which every text can be read. The runtime's parser lets half of a surrogate pair and octets that are no UTF-8
    /// pass, and throws where such a text is asked for.
    /// </summary>
    /// <exception cref="JsonException">It is not JSON, or a text in it is not Unicode.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(json, Options);
            ReadTexts(document.RootElement);
            return document;
        }
        catch (InvalidOperationException e)
        {
            document?.Dispose();
            throw new JsonException("a text in it is not Unicode", e);
        }
    }

    /// <summary>As deep as the parser lets it be, which is sixteen.</summary>
    private static void ReadTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    ReadTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    ReadTexts(member.Value);
                }

                break;
        }
    }
}
