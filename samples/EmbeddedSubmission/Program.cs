using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EmbeddedSubmission;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Transport;

// A submission server inside your own program: one user, STARTTLS, messages printed to the console.
//   dotnet run --project samples/EmbeddedSubmission
//   swaks --server 127.0.0.1:3587 --tls --auth PLAIN --auth-user lisa --auth-password tiger --from lisa@example.org --to bart@example.net
using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
var now = TimeProvider.System.GetUtcNow();
var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddYears(1));

await using var server = new SmtpServer(new SmtpServerOptions
{
    Hostname = "localhost",
    Listeners = [new SmtpListenerOptions { Name = "submission", Endpoints = [new IPEndPoint(IPAddress.Loopback, 3587)] }],
    Tls = new TlsOptions(certificate),
    Sasl = new SaslContext { Passwords = new OneUser("lisa", "tiger") },
    Policy = new LoggedInOnly(),
    Store = new ConsoleStore(),
});
server.Start();
Console.WriteLine($"listening on {server.Endpoints[0].Endpoint}, press Enter to stop");
Console.ReadLine();
