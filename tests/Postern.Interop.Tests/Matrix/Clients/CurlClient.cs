using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>curl, as Debian builds it: without SCRAM. With a token it takes OAUTHBEARER wherever that is offered, whatever it is told.</summary>
internal sealed class CurlClient : LoginClient
{
    public static readonly CurlClient Instance = new();

    public override string Name => "curl";

    public override string? Missing => MissingProgram("curl");

    /// <summary>By XOAUTH2 the server says first why it will refuse: that is enough for curl.</summary>
    public override int RefusalsBy(string mechanism) => mechanism == "XOAUTH2" ? 0 : 1;

    public override async Task<string> LogInAsync(MatrixServer server, Login login) => ReplyIn(await RunningProgram.RunAsync(
    [
        Peer.Require("curl"),
        "--disable", "--verbose", "--silent", "--show-error", "--ssl-reqd", "--cacert", server.CertificateFile,
        "--url", $"smtp://127.0.0.1:{server.Port(login.Mechanism == "XOAUTH2" ? "xoauth2" : "every")}/client.test", "--request", "NOOP", "--login-options", $"AUTH={login.Mechanism}",
        .. login.IsToken ? (string[])["--user", login.User, "--oauth2-bearer", login.Secret] : ["--user", $"{login.User}:{login.Secret}"],
    ]));
}
