using System.Text;
using Postern.Sasl.Client;

namespace Postern.Sasl.Tests;

/// <summary>Short words for a dialogue in text. Strings are sent as ISO 8859-1, so that a test can write every octet; <c>Utf8</c> makes one of them.</summary>
internal static class Exchanges
{
    public static string Utf8(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    public static byte[] Base64(string text)
    {
        Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out var octets));
        return octets;
    }

    public static ISaslExchange ServerOf(string name, SaslContext? context = null) => SaslMechanisms.All.Single(m => m.Name == name).TryStart(context ?? TestUsers.Context)!;

    public static ISaslClientExchange ClientOf(string name, SaslClientCredentials credentials) => SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(credentials)!;

    /// <summary>The challenge that answers <paramref name="response"/>; null is no initial response.</summary>
    public static async Task<string> AskAsync(this ISaslExchange server, string? response) => Text(Assert.IsType<SaslStep.Challenge>(await server.StepAsync(response)).Data);

    public static async Task<SaslStep.Failure> FailAsync(this ISaslExchange server, string response) => Assert.IsType<SaslStep.Failure>(await server.StepAsync(response));

    public static async Task<SaslStep.Success> SucceedAsync(this ISaslExchange server, string response) => Assert.IsType<SaslStep.Success>(await server.StepAsync(response));

    public static ValueTask<SaslStep> StepAsync(this ISaslExchange server, string? response) => server.NextAsync(Octets(response), CancellationToken.None);

    /// <summary>What the client sends; null where it sends nothing.</summary>
    public static string? Say(this ISaslClientExchange client, string? challenge) =>
        Assert.IsType<SaslClientStep.Response>(client.Next(Octets(challenge))).Data is { } data ? Text(data) : null;

    /// <summary>Why the client cancels.</summary>
    public static string Cancel(this ISaslClientExchange client, string? challenge) => Assert.IsType<SaslClientStep.Cancel>(client.Next(Octets(challenge))).Reason;

    public static string Text(ReadOnlyMemory<byte>? octets) => Encoding.Latin1.GetString(octets!.Value.Span);

    private static ReadOnlyMemory<byte>? Octets(string? text) => text is null ? default(ReadOnlyMemory<byte>?) : Encoding.Latin1.GetBytes(text);
}
