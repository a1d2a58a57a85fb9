using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>gsasl; without channel binding where no -PLUS form is asked for, because it gives up on SCRAM where it could bind and may not.</summary>
internal sealed class GsaslClient : LoginClient
{
    public static readonly GsaslClient Instance = new();

    public override string Name => "gsasl";

    public override string? Missing => MissingProgram("gsasl");

    public override async Task<string> LogInAsync(MatrixServer server, Login login) => ReplyIn(
        login.Mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? await RunAsync(server, server.Port("bound"), login) : await RunAsync(server, server.Port("every"), login, "--no-cb"));

    public static Task<ProgramResult> RunAsync(MatrixServer server, int port, Login login, params string[] more) =>
        RunningProgram.RunAsync(
        [
            Peer.Require("gsasl"),
            "--smtp", $"--connect=127.0.0.1:{port}", "--starttls", $"--x509-ca-file={server.CertificateFile}", "--mechanism", login.Mechanism,
            .. login.Mechanism == "ANONYMOUS" ? (string[])["--anonymous-token", "trace"] : ["--authentication-id", login.User, "--password", login.Secret, "--realm", MatrixServer.Realm], .. more,
        ]);
}
