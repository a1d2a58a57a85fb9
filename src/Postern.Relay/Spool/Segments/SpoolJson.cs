using System.Text.Json.Serialization;

namespace Postern.Relay.Spool.Segments;

/// <summary>The JSON inside the records.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredEnvelope))]
[JsonSerializable(typeof(StoredState))]
internal sealed partial class SpoolJson : JsonSerializerContext;
