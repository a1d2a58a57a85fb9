using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Testing;

/// <summary>Logs in with the library's own client half of a mechanism, and lets a test say something else at any step.</summary>
public static class SaslLogin
{
    /// <summary>
    /// The reply that ends the exchange, and how many responses came before it. No response goes with the command: the first one is step 0.
    /// </summary>
    /// <param name="instead">What to say at a step, as a line; null for what the mechanism says. Null altogether for a login without tricks.</param>
    /// <exception cref="InvalidDataException">The server says that the login succeeded and has not proven itself.</exception>
    public static async Task<(string Reply, int Responses)> LogInAsync(
        this SmtpDialogue dialogue, string mechanism, SaslClientCredentials credentials, Func<int, string?>? instead = null)
    {
        using var exchange = SaslClientMechanisms.All.First(m => m.Name == mechanism).TryStart(credentials)
            ?? throw new ArgumentException($"these are no credentials for {mechanism}", nameof(credentials));
        var initial = (exchange.Next(challenge: null) as SaslClientStep.Response)?.Data;
        var reply = await dialogue.AskAsync($"AUTH {mechanism}");
        var step = 0;
        for (; reply.StartsWith("334 ", StringComparison.Ordinal); step++)
        {
            var line = step == 0 && initial is { } first ? Convert.ToBase64String(first.Span) : Answer(exchange, reply[4..]);
            reply = await dialogue.AskAsync(instead?.Invoke(step) ?? line);
        }

        if (reply.StartsWith("235 ", StringComparison.Ordinal) && instead is null && !exchange.MayTrustSuccess)
            throw new InvalidDataException($"the server has not proven itself, and said: {reply}");
        return (reply, step);
    }

    /// <summary>A message in base64.</summary>
    public static string Encode(string message) => Convert.ToBase64String(Encoding.UTF8.GetBytes(message));

    private static string Answer(ISaslClientExchange exchange, string challenge) =>
        StrictBase64.TryDecode(Encoding.ASCII.GetBytes(challenge), out var octets) && exchange.Next(octets) is SaslClientStep.Response { Data: { } data } ? Convert.ToBase64String(data.Span) : "*";
}
