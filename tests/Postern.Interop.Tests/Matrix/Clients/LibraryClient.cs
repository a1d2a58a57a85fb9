using Postern.Testing;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>The client halves of Postern.Sasl over a dialogue of the test's own, -PLUS forms bound to the certificate of the connection.</summary>
internal sealed class LibraryClient : LoginClient
{
    public static readonly LibraryClient Instance = new();

    public override string Name => "Postern.Sasl";

    public override async Task<string> LogInAsync(MatrixServer server, Login login)
    {
        await using var dialogue = await server.ConnectAsync(login.Mechanism);
        return (await dialogue.LogInAsync(login.Mechanism, server.Credentials(login))).Reply;
    }
}
