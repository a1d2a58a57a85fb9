using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Testing;
using YamlDotNet.Serialization;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>
/// An OpenAPI 3.1 document, and whether a request or an answer is as it says: as much of JSON Schema as our own document uses. A word of a schema that is not
/// known here is an error, so that nothing is passed over.
/// </summary>
internal sealed class OpenApiDocument
{
    private static readonly string[] Words =
        ["$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "const", "oneOf", "anyOf", "pattern", "minLength", "maxLength", "maxItems", "minimum", "description", "examples", "format", "title", "default"];

    private readonly JsonElement root;

    private OpenApiDocument(JsonElement root) => this.root = root;

    public static OpenApiDocument Read(string file)
    {
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(File.ReadAllText(SourceTree.PathOf(file)));
        var json = new SerializerBuilder().JsonCompatible().Build().Serialize(yaml!);
        return new OpenApiDocument(JsonDocument.Parse(json).RootElement.Clone());
    }

    public JsonElement Root => root;

    /// <summary>Why a request is none of the document's; null where it is.</summary>
    public string? WhyNotRequest(string method, string path, IReadOnlyDictionary<string, string> fields, ReadOnlySpan<byte> body)
    {
        var operation = Operation(method, path);
        if (operation is null)
            return $"there is no {method} {path}";
        foreach (var parameter in operation.Value.GetProperty("parameters").EnumerateArray().Select(Resolve))
        {
            var name = parameter.GetProperty("name").GetString()!;
            if (fields.TryGetValue(name, out var value))
            {
                if (Against(parameter.GetProperty("schema"), JsonSerializer.SerializeToElement(value), name) is { } wrong)
                    return wrong;
            }
            else if (parameter.TryGetProperty("required", out var required) && required.GetBoolean())
            {
                return $"the field {name} is missing";
            }
        }

        var schema = operation.Value.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema");
        return fields.GetValueOrDefault("Content-Type") == "application/json" ? Against(schema, Parse(body), "request") : "it is not application/json";
    }

    /// <summary>Why an answer is none of the document's; null where it is.</summary>
    public string? WhyNotAnswer(string path, int status, string body)
    {
        var answers = Operation("POST", path)!.Value.GetProperty("responses");
        return answers.TryGetProperty(status.ToString(CultureInfo.InvariantCulture), out var answer)
            ? Against(Resolve(answer).GetProperty("content").GetProperty("application/json").GetProperty("schema"), Parse(Encoding.UTF8.GetBytes(body)), "answer")
            : $"there is no answer {status}";
    }

    private static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }

    private JsonElement? Operation(string method, string path) =>
        root.GetProperty("paths").TryGetProperty(path, out var item) && item.TryGetProperty(method.ToLowerInvariant(), out var operation) ? operation : null;

    private JsonElement Resolve(JsonElement element) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var to)
        ? to.GetString()!.TrimStart('#', '/').Split('/').Aggregate(root, static (at, part) => at.GetProperty(part))
        : element;

    private string? Against(JsonElement schema, JsonElement value, string where)
    {
        schema = Resolve(schema);
        if (schema.EnumerateObject().FirstOrDefault(static w => !Words.Contains(w.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            return $"the schema of {where} has a word that is not known here: {unknown.Name}";
        if (schema.TryGetProperty("type", out var type) && !IsOf(type, value))
            return $"{where} is {value.ValueKind}, not {type}";
        if (schema.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
            return $"{where} is not {only}";
        if (schema.TryGetProperty("enum", out var choices) && !choices.EnumerateArray().Any(c => JsonElement.DeepEquals(c, value)))
            return $"{where} is none of {choices}";
        if (schema.TryGetProperty("oneOf", out var one) && one.EnumerateArray().Count(s => Against(s, value, where) is null) != 1)
            return $"{where} is not as exactly one of oneOf says";
        if (schema.TryGetProperty("anyOf", out var any) && !any.EnumerateArray().Any(s => Against(s, value, where) is null))
            return $"{where} is as none of anyOf says";
        return value.ValueKind switch
        {
            JsonValueKind.String => AgainstText(schema, value.GetString()!, where),
            JsonValueKind.Array => AgainstList(schema, value, where),
            JsonValueKind.Object => AgainstObject(schema, value, where),
            _ => null,
        };
    }

    private static string? AgainstText(JsonElement schema, string text, string where) =>
        schema.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(text, pattern.GetString()!, RegexOptions.NonBacktracking) ? $"{where} is not as its pattern says"
        : schema.TryGetProperty("minLength", out var least) && text.Length < least.GetInt32() ? $"{where} is too short"
        : schema.TryGetProperty("maxLength", out var most) && text.Length > most.GetInt32() ? $"{where} is too long"
        : null;

    private string? AgainstList(JsonElement schema, JsonElement value, string where) =>
        schema.TryGetProperty("maxItems", out var most) && value.GetArrayLength() > most.GetInt32() ? $"{where} has too many"
        : schema.TryGetProperty("items", out var items) ? value.EnumerateArray().Select(v => Against(items, v, $"{where}[]")).FirstOrDefault(static w => w is not null)
        : null;

    private string? AgainstObject(JsonElement schema, JsonElement value, string where)
    {
        if (schema.TryGetProperty("required", out var required) && required.EnumerateArray().FirstOrDefault(r => !value.TryGetProperty(r.GetString()!, out _)) is { ValueKind: JsonValueKind.String } missing)
            return $"{where} has no {missing}";
        foreach (var member in value.EnumerateObject())
        {
            if (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var own))
            {
                if (Against(own, member.Value, $"{where}.{member.Name}") is { } wrong)
                    return wrong;
            }
            else if (schema.TryGetProperty("additionalProperties", out var others) && others.ValueKind == JsonValueKind.False)
            {
                return $"{where} has {member.Name}, which is not in its schema";
            }
        }

        return null;
    }

    private static bool IsOf(JsonElement type, JsonElement value) => type.ValueKind == JsonValueKind.Array
        ? type.EnumerateArray().Any(t => IsOf(t, value))
        : type.GetString() switch
        {
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            "array" => value.ValueKind == JsonValueKind.Array,
            "object" => value.ValueKind == JsonValueKind.Object,
            "null" => value.ValueKind == JsonValueKind.Null,
            _ => false,
        };
}
