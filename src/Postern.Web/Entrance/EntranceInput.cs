using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Postern.Web.Entrance;

/// <summary>What a person, or a page's script, says at the entrance. What is not said is null.</summary>
internal sealed record EntranceInput
{
    private const int MaxBody = 16 * 1024;

    private static readonly FormOptions Limits = new()
    {
        BufferBodyLengthLimit = MaxBody, ValueCountLimit = 16, KeyLengthLimit = 64, ValueLengthLimit = 4 * 1024,
    };

    public string? Name { get; init; }

    public string? Password { get; init; }

    /// <summary>As the authenticator shows it.</summary>
    public string? OneTimeCode { get; init; }

    /// <summary>Of the invitation.</summary>
    public string? Code { get; init; }

    /// <summary>That is to take the place of the other.</summary>
    public string? NewPassword { get; init; }

    /// <summary>Where the person wanted to go.</summary>
    public string? Next { get; init; }

    /// <summary>It came as JSON, and is answered so.</summary>
    [JsonIgnore]
    public bool IsJson { get; init; }

    /// <summary>A path on this server; <c>/</c> for everything else.</summary>
    public static string PathOf(string? next) =>
        next is ['/', not ('/' or '\\'), ..] && next.Length <= 1_024 && !next.Any(static c => char.IsControl(c) || c is '\\') ? next : "/";

    /// <summary>Reads the body, a form or JSON; null for one that is neither, too large, or wrong.</summary>
    public static async ValueTask<EntranceInput?> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxBody;
        try
        {
            var request = context.Request;
            if (request.HasJsonContentType())
                return await JsonSerializer.DeserializeAsync(request.Body, EntranceJson.Default.EntranceInput, context.RequestAborted)
                    is { } told ? told with { IsJson = true } : null;
            if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
                return null;
            context.Features.Set<IFormFeature>(new FormFeature(request, Limits));
            var form = await request.ReadFormAsync(context.RequestAborted);
            return new EntranceInput
            {
                Name = OneOf(form, "name"),
                Password = OneOf(form, "password"),
                NewPassword = OneOf(form, "newPassword"),
                OneTimeCode = OneOf(form, "oneTimeCode"),
                Code = OneOf(form, "code"),
                Next = OneOf(form, "next"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Nothing that counts.</summary>
    public override string ToString() => "***";

    private static string? OneOf(IFormCollection form, string name) => form[name] is [{ } one] ? one : null;
}

/// <summary>Somebody has signed in.</summary>
/// <param name="ExpiresAt">At the latest; after twelve hours without a call it is over before.</param>
internal sealed record SignedInDocument(string Name, DateTimeOffset ExpiresAt);

/// <summary>What an invitation is for, and the secret for the authenticator.</summary>
/// <param name="Operator">Who sets a password anew; null for somebody new.</param>
/// <param name="Secret">As people type it.</param>
/// <param name="Address">As an authenticator reads it from a picture.</param>
internal sealed record SetupDocument(
    string Role, string? Tenant, string? Operator, string Secret, string Address, DateTimeOffset ExpiresAt);

/// <summary>What became of it, for scripts and programs (RFC 9457).</summary>
internal sealed record EntranceProblem(string Type, string Title, int Status, string Detail);

/// <summary>That somebody has set a password.</summary>
internal sealed record EnrolledDocument(bool Ok, string Message);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, MaxDepth = 4)]
[JsonSerializable(typeof(EntranceInput))]
[JsonSerializable(typeof(SignedInDocument))]
[JsonSerializable(typeof(SetupDocument))]
[JsonSerializable(typeof(EnrolledDocument))]
[JsonSerializable(typeof(EntranceProblem))]
internal sealed partial class EntranceJson : JsonSerializerContext;
