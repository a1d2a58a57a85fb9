using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Transport;

// A submission server inside your own program: it authenticates one user and keeps each message as a file.
var options = new SmtpServerOptions
{
    Tls = TlsOptions.SelfSigned("localhost"), // in earnest: new TlsOptions(certificate)
    Store = MessageStore.From((message, ct) => File.WriteAllBytesAsync($"{message.Id}.eml", message.Content, ct)),
};
options.Authenticate((user, password, ct) => new(user == "lisa" && password.Matches("tiger")));
options.Listen(0); // any free port of the loopback address; in earnest 587

await using var server = new SmtpServer(options);
server.Start();
foreach (var (listener, endpoint) in server.Endpoints)
    Console.WriteLine($"{listener.Name} on {endpoint}, Enter stops");

Console.ReadLine();
using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
await server.StopAsync(patience.Token); // a message that is being received may finish
