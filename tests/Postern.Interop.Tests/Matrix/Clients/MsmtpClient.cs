using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>msmtp, which runs a command to get at the password or token, and sends a message once it is logged in.</summary>
internal sealed class MsmtpClient : LoginClient
{
    public static readonly MsmtpClient Instance = new();

    public override string Name => "msmtp";

    public override string? Missing => MissingProgram("msmtp");

    public override async Task<string> LogInAsync(MatrixServer server, Login login)
    {
        var secret = await server.NewFileAsync("secret", Encoding.UTF8.GetBytes(login.Secret + "\n"));
        return ReplyIn(await RunningProgram.RunAsync(
            [
                Peer.Require("msmtp"),
                "--file=/dev/null", "--debug", "--host=127.0.0.1", $"--port={server.Port("every")}", "--domain=client.test", "--tls=on", $"--tls-trust-file={server.CertificateFile}",
                $"--auth={login.Mechanism.ToLowerInvariant()}", $"--user={login.User}", $"--passwordeval=cat {secret}", $"--from={login.User}", "--", "bart@sink.test",
            ],
            input: "Subject: x\n\nx\n"));
    }
}
