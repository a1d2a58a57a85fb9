using Postern.Relay.Accounts;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Both halves of a mechanism, without a wire.</summary>
internal static class MechanismPlay
{
    /// <summary>How an exchange ends, and how many messages the client had sent by then.</summary>
    public static async Task<(SaslError? Error, int Sent)> PlayAsync(AccountVerifiers verifiers, string name, string user, string password, string? peer = null)
    {
        using var client = SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(new SaslClientCredentials { User = user, Password = new Secret(password), Host = "mail.example.org" })!;
        var server = (verifiers.Context with { Hostname = "mail.example.org", Peer = peer }).Begin(SaslMechanisms.All.Single(m => m.Name == name));
        if (server is null)
            return (SaslError.BadCredentials, 0);
        using var end = server as IDisposable;
        ReadOnlyMemory<byte>? challenge = null;
        for (var sent = name.StartsWith("SCRAM", StringComparison.Ordinal) ? 1 : 2; ; sent++)
        {
            var response = client.Next(challenge) is SaslClientStep.Response(var data) ? data : throw new InvalidOperationException("the client half gave up");
            switch (await server.NextAsync(response, TestContext.Current.CancellationToken))
            {
                case SaslStep.Challenge(var next):
                    challenge = next;
                    if (response is null)
                        sent--;
                    continue;
                case SaslStep.Failure(var error, _, _, _):
                    return (error, sent);
                default:
                    return (null, sent);
            }
        }
    }
}
