using System.Net;
using KestrelAdapter;
using Microsoft.AspNetCore.Connections;
using Postern.Smtp.Message;
using Postern.Smtp.Transport;

// SMTP beside HTTP in one ASP.NET Core process: Kestrel accepts, Postern holds the session.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddSmtpServer(options =>
{
    options.Tls = TlsOptions.SelfSigned("localhost");
    options.Authenticate((user, password, ct) => new(user == "lisa" && password.Matches("tiger")));
    options.Store = MessageStore.From(async (message, ct) => await Console.Out.WriteLineAsync($"{message.Login} sent {message.Content.Length} octets"));
});
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionHandler<SmtpConnectionHandler>()));

await using var app = builder.Build();
await app.StartAsync();
Console.WriteLine($"submission on {new Uri(app.Urls.First()).Authority}, SIGTERM stops");
await app.WaitForShutdownAsync();
