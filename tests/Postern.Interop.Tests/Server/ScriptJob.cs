using System.Text.Json;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>What a client script is told on standard input; it answers with one JSON document.</summary>
/// <param name="Mechanism">Null: the client's choice.</param>
/// <param name="InitialResponse">The first response goes with the AUTH command, where the client can choose.</param>
/// <param name="Passwords">Tried one after the other.</param>
internal sealed record ScriptJob(string Recipient, Way Way, string? Mechanism, bool InitialResponse, params string[] Passwords)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public Task<JsonElement> RunAsync(PosternServer server, string interpreter, string script) => RunAsync(server, [interpreter], script);

    /// <param name="interpreter">With its arguments before the script.</param>
    public async Task<JsonElement> RunAsync(PosternServer server, IReadOnlyList<string> interpreter, string script)
    {
        var job = JsonSerializer.Serialize(
            new
            {
                Way = Way.ToString(),
                Port = server.Port(Way),
                Ca = server.CertificateFile,
                PosternServer.User,
                Passwords,
                Mechanism,
                InitialResponse,
                PosternServer.Sender,
                Recipient,
                SampleMessage.Subject,
                SampleMessage.Attachment,
            },
            Options);
        var run = await RunningProgram.RunAsync([.. interpreter, Peer.Script(script)], input: job);
        run.AssertSucceeded();
        return JsonElement.Parse(run.Output);
    }
}
