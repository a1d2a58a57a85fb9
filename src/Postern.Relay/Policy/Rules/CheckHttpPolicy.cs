using System.Security.Cryptography;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Relay.Policy.Services;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Asks a service of the operator's own by POST, in JSON (docs/http-policy.openapi.yaml), and does what it answers as if it stood in an
/// access table; where it does not answer in time, or with anything else, the entry's <c>on_error</c> counts.
/// </summary>
internal sealed class CheckHttpPolicy : IRelayRule
{
    private readonly HttpPlace? place;
    private readonly TimedQuestion question = TimedQuestion.None;

    public CheckHttpPolicy()
    {
    }

    private CheckHttpPolicy(HttpPlace place, TimedQuestion question) => (this.place, this.question) = (place, question);

    public string Name => "check_http_policy";

    public string Doc =>
        "what a service answers that is asked by POST, in JSON: the actions of `check_policy_service`; no answer in time: `on_error`. "
            + "Its `permit` permits as `permit` does";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`check_http_policy` in a list of rules: a service of your own is asked in JSON "
            + "([http-policy.openapi.yaml](http-policy.openapi.yaml)); see rules.md. Short: `check_http_policy https://host/path`.";

    public string Shorthand => "url";

    public IRelayRule With(RuleStage stage, RuleArguments arguments)
    {
        var address = arguments.Required("url", HttpPlace.Kind, "Where it is; `http://` to this machine alone.");
        var timed = TimedQuestion.Read(stage, arguments);
        var key = File(
            "key_file",
            "none",
            "A file with what requests are signed with (HMAC-SHA-256), as for users over HTTP; read again when it changes.");
        var token = File("token_file", "none", "A file with what this server shows there, as `Authorization: Bearer`.");
        var access = new WebAccess(
            File("ca", "the system's", "A file of certificates (PEM): the server's must lead to one of these."),
            File("client_certificate", "none", "A file with a certificate (PEM) that is shown where the server asks for one."),
            File("client_key", "in `client_certificate`", "A file with its key (PEM)."));
        return new CheckHttpPolicy(new HttpPlace(address, access, key, token), timed);

        string? File(string name, string fallback, string doc) =>
            arguments.Value(name, ArgumentKinds.Path, string.Empty, fallback, doc) is { Length: > 0 } path ? path : null;
    }

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => question.AskAsync(
        place!.Address.ToString(),
        context,
        end =>
        {
            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            return context.Services.At(place).AskAsync(id, PolicyQuestionJson.Write(id, context, question), end);
        },
        ct);
}
