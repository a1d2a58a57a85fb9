using System.Text.Json;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>A library of another language, driven by a script: told on standard input what to do, it answers with a reply a secret.</summary>
internal abstract class ScriptedClient(string interpreter, string script) : LoginClient
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public override string? Missing => MissingProgram(interpreter);

    public override async Task<string> LogInAsync(MatrixServer server, Login login) => (await LogInAsync(server, login, login.Secret))[0];

    /// <summary>Logs in with each of these, in one session where the library can.</summary>
    public async Task<string[]> LogInAsync(MatrixServer server, Login login, params string[] secrets)
    {
        var job = JsonSerializer.Serialize(new { Port = server.Port("every"), Ca = server.CertificateFile, login.Mechanism, login.User, Secrets = secrets }, Options);
        var run = await RunningProgram.RunAsync([Peer.Require(interpreter), Peer.Script(script)], input: job);
        run.AssertSucceeded();
        return JsonSerializer.Deserialize<string[]>(run.Output)!;
    }
}
