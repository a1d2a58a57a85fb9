using System.Text;
using Postern.Configuration;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Configuration files: a configuration that the engine takes, or errors that each have a line, and never an exception. What is valid is turned into
/// the engine's options, so that a number at the end of its range is met there too.
/// </summary>
internal sealed class ConfigurationTarget : ITarget
{

    public string Name => "configuration";

    public Reached Reached { get; } = new("valid", "wrong values", "not YAML");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1500;

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "server: { hostname: mail.example.org, data: /nowhere }\n", "listeners:\n  - name: a\n    listen: '127.0.0.1:587'\n    tls: none\n    auth: always\n    mechanisms: [PLAIN]\n    clients: [10.0.0.0/8]\n",
        "limits: { connections: 10, connections_per_address: 2, message_size: 50MB, recipients: 100, idle: 5m, memory: 1GiB }\n", "delivery:\n  retry: { first: 1m, factor: 2, most: 4h, give_up: 5d, warn: 4h }\n  routes:\n    - { to: '*', via: 'smtp://a.example:25?tls=none' }\n    - { to: .example.org, via: mx }\n  etrn: [example.org]\n",
        "accounts: [directory, 'file:///nowhere/passwd', { uri: 'digest:///nowhere/digest', realm: x }]\noauth: [{ issuer: a, audience: b, jwks: 'file:///nowhere/k', leeway: 1m, algorithms: [ES256], user_claim: email }]\n",
        "networks: [192.0.2.0/24, '2001:db8::/32']\ndomains: [example.org]\nrules: { sender: [reject_unlisted_domain], recipient: [permit_networks, permit_authenticated] }\nlogs: { directory: logs }\n",
        "tls: { minimum: '1.2' }\n", "{\"limits\":{\"idle\":\"1h\"}}", "", "---\n...\n---\n", "a: &x [*x]\n", "!!binary x: y\n", "\t", "[", "? x\n: y\n", "a: |\n  b\n", "- 1\n", "\u0000", "limits: { idle: 36500d, message_size: 9223372036854775807 }\n");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(
    [
        "server:", "tls:", "listeners:", "accounts:", "oauth:", "limits:", "networks:", "domains:", "rules:", "delivery:", "logs:", "external:", "kerberos:", "hostname: ", "listen: ", "message_size: ", "idle: ", "first: ", "factor: ", "give_up: ", "via: ", "to: ", "port: ", "leeway: ",
        "\n  ", "\n- ", "- ", ": ", "{ ", " }", "[", "]", ", ", "'", "\"", "|", ">", "&a ", "*a", "!t ", "#", "%YAML 1.2\n", "---\n", "...\n", "<<: ", "? ", "\\x00", "\\ud800", "\u0085", "\u2028", "\ufeff", "smtp://", "smtps://", "?tls=", "file:///nowhere", "0.0.0.0:", "[::]:", "/33", "/128",
        .. NumberTexts.All, .. NumberTexts.All.SelectMany(static n => (string[])[$"{n}d", $"{n}ms", $"{n}w", $"{n}GB", $"{n}TiB", $"127.0.0.1:{n}", $"10.0.0.0/{n}", $"smtp://a:{n}"]),
    ]);

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var text = Encoding.UTF8.GetString(input.Span);
        switch (ConfigurationFile.Parse("postern.yaml", "/nowhere", text))
        {
            case ConfigurationOutcome.Invalid(var errors):
                BrokenException.Unless(!errors.IsEmpty, "what is wrong is said");
                foreach (var error in errors)
                {
                    BrokenException.Unless(error.Line > 0 && error.Column > 0, $"an error has its line and column: {error}");
                    signal.Add(error.Key.Length);
                    signal.Add(error.Message.Length / 8);
                }

                Reached.Note(errors[0].Message.StartsWith("not YAML", StringComparison.Ordinal) ? "not YAML" : "wrong values");
                break;
            case ConfigurationOutcome.Valid(var configuration):
                Reached.Note("valid");
                var options = configuration.ToRelay(tls: null, configuration.ToAccounts(), logCopy: null);
                foreach (var attempt in (int[])[1, 5, 100])
                    BrokenException.Unless(options.Delivery.Retry.Pause(attempt, chance: 0.99) >= TimeSpan.Zero, "a pause is a time");
                _ = options.Delivery.Retry.Next(3, DateTimeOffset.UnixEpoch.AddYears(56), DateTimeOffset.UnixEpoch.AddYears(56), chance: 0.5);
                signal.Add(options.Listeners.Count);
                signal.AddSize(options.Limits.MessageOctets);
                break;
        }

        return new(signal.Value);
    }
}
