using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Postern.Commands.Output;

/// <summary>Every document that <c>--json</c> prints. Names are stable; new ones may be added.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CheckDocument))]
internal sealed partial class CommandJson : JsonSerializerContext
{
    /// <summary>Readable in a terminal: only what JSON itself demands is escaped, control characters among it.</summary>
    public static CommandJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
