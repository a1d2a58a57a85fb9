using Postern.Relay.Accounts.OAuth;

namespace Postern.Relay.Delivery.Logins;

/// <summary>
/// A person allows this server to send mail as somebody, by a code that is entered in a browser anywhere (RFC 8628). What is had by it is
/// kept for the routes that log in so.
/// </summary>
public static class DeviceLogin
{
    private static readonly TimeSpan Slower = TimeSpan.FromSeconds(5);

    /// <summary>Whether there is a refresh token for a grant that needs one.</summary>
    /// <param name="directory">As <see cref="DeliveryOptions.TokenDirectory"/>.</param>
    public static bool IsAllowed(TokenGrant grant, string directory) =>
        grant.Kind != GrantKind.RefreshToken || grant.RefreshToken is not null || new KeptTokens(directory).WrittenAt(grant) is not null;

    /// <summary>Asks for a code, has it shown, and waits until somebody has entered it.</summary>
    /// <param name="grant">With a <see cref="TokenGrant.DeviceUrl"/>.</param>
    /// <param name="show">Given the code, the place to enter it at, and until when.</param>
    /// <returns>Null when it was kept; else why not, for people.</returns>
    /// <exception cref="IOException">What was had cannot be kept.</exception>
    public static async Task<string?> RunAsync(
        TokenGrant grant, string directory, TimeProvider clock, Action<string, string, DateTimeOffset> show, CancellationToken ct)
    {
        using var http = GuardedFetch.Create();
        var endpoint = new TokenEndpoint(http, clock);
        if (await endpoint.BeginDeviceAsync(grant, ct).ConfigureAwait(false) is var begun && begun is not TokenAnswer.Device)
            return WordsOf(begun);
        var device = (TokenAnswer.Device)begun;
        show(device.UserCode, device.Place, device.Until);
        var interval = device.Interval;
        while (clock.GetUtcNow() < device.Until)
        {
            await Task.Delay(interval, clock, ct).ConfigureAwait(false);
            switch (await endpoint.PollDeviceAsync(grant, device.DeviceCode, ct).ConfigureAwait(false))
            {
                case TokenAnswer.Granted { Refresh: { } refresh }:
                    new KeptTokens(directory).Write(grant, refresh);
                    return null;
                case TokenAnswer.Granted:
                    return "no refresh token was given, so this would last an hour: the scope lacks offline_access";
                case TokenAnswer.Pending(var isTooFast):
                    interval += isTooFast ? Slower : TimeSpan.Zero;
                    break;
                case TokenAnswer.Unavailable:
                    interval += Slower;
                    break;
                case var refused:
                    return WordsOf(refused);
            }
        }

        return "nobody entered the code in time";
    }

    private static string WordsOf(TokenAnswer answer) => answer switch
    {
        TokenAnswer.Refused(_, var words) => words,
        TokenAnswer.Unavailable(var words) => words,
        _ => "the answer is none to this question",
    };
}
