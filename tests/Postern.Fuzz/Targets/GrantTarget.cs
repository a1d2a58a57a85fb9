using System.Net;
using Postern.Relay.Delivery.Logins;
using Postern.Sasl;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// What token endpoints and device authorization endpoints answer: a token, a refusal, or that it cannot be said; words that fit a line of the log, and
/// never an exception. The first octet says which is asked and with which status it answers.
/// </summary>
internal sealed class GrantTarget : ITarget
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TokenGrant Grant = new("relay", GrantKind.ClientCredentials, new Uri("https://login.test/token"), "app")
    {
        ClientSecret = new Secret("secret"),
        DeviceUrl = new Uri("https://login.test/device"),
    };

    private static readonly HttpStatusCode[] Statuses = [HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.TooManyRequests, HttpStatusCode.InternalServerError];

    private readonly TokenEndpoint endpoint;
    private HttpStatusCode status;
    private byte[] answer = [];

    public GrantTarget() => endpoint = new TokenEndpoint(new HttpClient(new Answerer(this)), new ManualClock(Now));

    public string Name => "grants";

    public Reached Reached { get; } = new("Granted", "Refused", "Unavailable", "Pending", "Device");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1200;

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "\0{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"r\"}", "\0{\"access_token\":\"a\",\"token_type\":\"mac\"}", "\0{\"access_token\":\"\"}",
        "\0{\"access_token\":\"a\",\"expires_in\":\"10\"}", "\0{\"access_token\":\"a\",\"expires_in\":1e300}", "\0{\"access_token\":\"\\ud800\"}", "\0{\"access_token\":\"a\\u0001b\"}", "\0{\"access_token\":\"a\",\"expires_in\":1e-300}", "\0[]", "\0", "\0<html>",
        "\u0002{\"error\":\"invalid_grant\",\"error_description\":\"expired\\r\\nX: y\"}", "\u0002{\"error\":\"\\udc00\"}", "\u0002{\"error\":\"authorization_pending\"}", "\u0002{\"error\":\"slow_down\"}",
        "\u0004{\"error\":\"temporarily_unavailable\"}", "\u0006{\"error\":\"server_error\",\"error_description\":null}",
        "\u0001{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_uri\":\"https://x.test\",\"interval\":5,\"expires_in\":900}", "\u0001{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_url\":\"x\",\"interval\":-1e9}");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(
    [
        "\"access_token\":", "\"token_type\":", "\"expires_in\":", "\"refresh_token\":", "\"error\":", "\"error_description\":", "\"device_code\":", "\"user_code\":", "\"verification_uri\":", "\"interval\":", "\"Bearer\"", "null", "true", "{}", "[]",
        "\\ud800", "\\udc00", "\\u0000", "\\r\\n", "\u0085", "\"", ",", ":", "}", "{", "[[[[[[[[[[[[[[[[[[[", "{\"a\":",
        .. NumberTexts.All,
    ]);

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return signal.Value;
        (status, answer) = (Statuses[(input.Span[0] >> 1) % Statuses.Length], input[1..].ToArray());
        var asked = (input.Span[0] & 1) == 0
            ? await endpoint.AskAsync(Grant, refresh: null, CancellationToken.None)
            : await endpoint.BeginDeviceAsync(Grant, CancellationToken.None);
        Reached.Note(asked.GetType().Name);
        signal.Add(asked.GetType().Name.Length);
        switch (asked)
        {
            case TokenAnswer.Granted(var token, var until, _):
                BrokenException.Unless(status == HttpStatusCode.OK, "nothing is granted by an error");
                BrokenException.Unless(until > Now && until <= Now.AddDays(1), "a token has its time");
                BrokenException.Unless(!token.Reveal().Any(char.IsControl) && token.Reveal().All(char.IsAscii), "a token fits the wire");
                break;
            case TokenAnswer.Refused(var error, var words):
                CheckLine(error);
                CheckLine(words);
                signal.Add(words.Length / 8);
                break;
            case TokenAnswer.Unavailable(var words):
                CheckLine(words);
                signal.Add(words.Length / 8);
                break;
            case TokenAnswer.Device device:
                CheckLine(device.UserCode);
                CheckLine(device.Place);
                BrokenException.Unless(device.Interval >= TimeSpan.FromSeconds(1) && device.Until > Now, "a code has its time");
                break;
        }

        return signal.Value;
    }

    private static void CheckLine(string words) =>
        BrokenException.Unless(words.Length <= 1000 && !words.Any(char.IsControl), "words fit a line");

    private sealed class Answerer(GrantTarget target) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(target.status) { Content = new ByteArrayContent(target.answer) });
    }
}
