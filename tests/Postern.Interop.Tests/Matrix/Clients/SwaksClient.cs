using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>swaks, with the Perl modules of its digest mechanisms.</summary>
internal sealed class SwaksClient : LoginClient
{
    public static readonly SwaksClient Instance = new();

    public override string Name => "swaks";

    public override string? Missing => MissingProgram("swaks");

    public override async Task<string> LogInAsync(MatrixServer server, Login login) => ReplyIn(await RunningProgram.RunAsync(
    [
        Peer.Require("swaks"),
        "--server", "127.0.0.1", "--port", $"{server.Port("every")}", "--ehlo", "client.test", "--tls", "--tls-verify", "--tls-ca-path", server.CertificateFile,
        "--auth", login.Mechanism, "--auth-user", login.User, "--auth-password", login.Secret, "--quit-after", "AUTH",
    ]));
}
