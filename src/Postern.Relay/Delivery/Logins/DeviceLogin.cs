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
    /// <param name="tell">Given what keeps the endpoint from answering, each time that it is another thing.</param>
    /// <returns>Null when it was kept; else why not.</returns>
    /// <exception cref="IOException">What was had cannot be kept.</exception>
    public static async Task<DeviceLoginFailure?> RunAsync(
        TokenGrant grant,
        string directory,
        TimeProvider clock,
        Action<string, string, DateTimeOffset> show,
        Action<string> tell,
        CancellationToken ct)
    {
        using var http = GuardedFetch.Create();
        var endpoint = new TokenEndpoint(http, clock);
        if (await endpoint.BeginDeviceAsync(grant, ct).ConfigureAwait(false) is var begun && begun is not TokenAnswer.Device)
            return DeviceLoginFailure.Of(begun, "device_url");
        var device = (TokenAnswer.Device)begun;
        show(device.UserCode, device.Place, device.Until);
        var interval = device.Interval;
        TokenAnswer.Unavailable? silent = null;
        while (clock.GetUtcNow() < device.Until)
        {
            await Task.Delay(interval, clock, ct).ConfigureAwait(false);
            switch (await endpoint.PollDeviceAsync(grant, device.DeviceCode, ct).ConfigureAwait(false))
            {
                case TokenAnswer.Granted { Refresh: { } refresh }:
                    new KeptTokens(directory).Write(grant, refresh);
                    return null;
                case TokenAnswer.Granted:
                    return new(
                        "no refresh token was given, so this would last an hour: the scope lacks offline_access",
                        "Add it to 'scope' of 'oauth'; then try again.");
                case TokenAnswer.Pending(var isTooFast):
                    silent = null;
                    interval += isTooFast ? Slower : TimeSpan.Zero;
                    break;
                case TokenAnswer.Unavailable unavailable:
                    if (unavailable != silent)
                        tell($"{unavailable.Words}; asked again until the code's time is over");
                    silent = unavailable;
                    interval += Slower;
                    break;
                case var refused:
                    return DeviceLoginFailure.Of(refused, "token_url");
            }
        }

        return silent is null ? DeviceLoginFailure.TooLate : DeviceLoginFailure.Of(silent, "token_url");
    }
}

/// <summary>Why somebody was not allowed to log in by a code, and what to do, each in one line for people.</summary>
public sealed record DeviceLoginFailure(string What, string Todo)
{
    internal static DeviceLoginFailure TooLate { get; } = new(
        "nobody entered the code in time", "Run the command again, and have the code entered before the time that it says.");

    /// <param name="key">The address that was asked, as the configuration has it.</param>
    internal static DeviceLoginFailure Of(TokenAnswer answer, string key) => answer switch
    {
        TokenAnswer.Refused("access_denied", var words) =>
            new(words, "Whoever was asked said no. Run the command again, and have the code allowed."),
        TokenAnswer.Refused("expired_token", var words) => TooLate with { What = $"{TooLate.What}: {words}" },
        TokenAnswer.Refused(_, var words) => new(words, "Check client_id, client_secret and scope of 'oauth'; then try again."),
        TokenAnswer.Unavailable(var words) => new(words, $"Check {key} of 'oauth', and whether that server works; then try again."),
        _ => new("the answer is none to this question", $"Check {key} of 'oauth'; then try again."),
    };
}
