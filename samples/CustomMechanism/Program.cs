using System.Net;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Transport;
using Samples;

// A mechanism of one's own beside those of the library, and a client that logs in by it. Exits 1 when anything is not as it should be.
var key = RandomNumberGenerator.GetBytes(32);
var stored = 0;
await using var server = new SmtpServer(new SmtpServerOptions
{
    Mechanisms = SaslMechanisms.All.With(new HmacMechanism(new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["meter-17"] = key })),
    Listeners = [new SmtpListenerOptions { Name = "devices", Endpoints = [new(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
    Store = MessageStore.From((message, _) =>
    {
        Console.WriteLine($"stored a message of {message.Login}");
        stored++;
        return Task.CompletedTask;
    }),
});
server.Start();

try
{
    await using var device = await Conversation.OpenAsync(server.Endpoints[0].Endpoint);
    await device.SayAsync("MAIL FROM:<meter-17@example.org>", "530");
    await LogInAsync(device, "meter-17", RandomNumberGenerator.GetBytes(32), "535 5.7.8");
    await LogInAsync(device, "meter-18", key, "535 5.7.8");
    await LogInAsync(device, "meter-17", key, "235 2.7.0 Hello, device");
    await device.SendAsync("meter-17@example.org", "readings@example.org", "Subject: 42 kWh\r\n", "250 2.0.0 Queued as");
    await device.SayAsync("QUIT", "221");
    return stored == 1 ? 0 : 1;
}
catch (Exception e) when (e is IOException or InvalidDataException or TimeoutException)
{
    Console.WriteLine(e.Message);
    return 1;
}

static async Task LogInAsync(Conversation client, string device, byte[] key, string expected)
{
    var asked = await client.SayAsync("AUTH X-HMAC-SHA256", "334 ");
    StrictBase64.TryDecode(Encoding.ASCII.GetBytes(asked[4..]), out var challenge);
    await client.SayAsync(Convert.ToBase64String(HmacMechanism.Answer(device, key, challenge)), expected);
}
