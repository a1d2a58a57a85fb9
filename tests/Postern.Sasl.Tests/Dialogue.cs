using Postern.Sasl.Client;

namespace Postern.Sasl.Tests;

/// <summary>Lets a client half and a server half talk as SMTP would carry them: success data as one more challenge.</summary>
internal static class Dialogue
{
    public static async Task<(SaslStep Server, SaslClientStep Client, bool MayTrust)> RunAsync(ISaslExchange server, ISaslClientExchange client)
    {
        using var owned = client;
        var said = client.Next(challenge: null);
        var response = ((SaslClientStep.Response)said).Data;
        for (var round = 0; round < 10; round++)
        {
            var step = await server.NextAsync(response, CancellationToken.None);
            var challenge = step switch
            {
                SaslStep.Challenge(var data) => data,
                SaslStep.Success { Data: { } data } => data,
                _ => (ReadOnlyMemory<byte>?)null,
            };
            if (challenge is null)
                return (step, said, client.MayTrustSuccess);
            said = client.Next(challenge);
            if (said is not SaslClientStep.Response(var next) || step is SaslStep.Success)
                return (step, said, client.MayTrustSuccess);
            response = next ?? ReadOnlyMemory<byte>.Empty;
        }

        throw new InvalidOperationException("the dialogue does not end");
    }
}
