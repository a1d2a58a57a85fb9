using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Samples;

// A relay with a rule that is a class of this program, beside those that ship. Exits 1 when anything is not as it should be.
var data = Directory.CreateTempSubdirectory("own-policy-");
await using var sink = await MessageSink.StartAsync();
var routes = ((RouteParse.Ok)RouteTable.Parse([new Route("*", $"smtp://{sink.Endpoint}?tls=none")])).Table;
var options = new RelayOptions
{
    Hostname = "mail.example.org",
    DataDirectory = data.FullName,
    Tls = TlsOptions.SelfSigned("localhost"), // in earnest: new TlsOptions(certificate)
    Listeners = [new SmtpListenerOptions { Name = "smtp", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)] }],
    Policy = new PolicyOptions
    {
        Own = [new OfficeHours()],
        Networks = [IPNetwork.Parse("127.0.0.0/8")],
        SenderRules = ["office_hours"],
        RecipientRules = ["office_hours", "permit_networks", "reject_unauth_destination"],
    },
    Delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org"), Routes = routes },
};

try
{
    await using (var relay = await RelayService.StartAsync(options, TimeProvider.System))
    {
        await using var client = await Conversation.OpenAsync(relay.Endpoints[0].Endpoint);
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "250");
        await client.SayAsync("RCPT TO:<closed@example.net>", "550 5.7.1 That office is closed");
        await client.SayAsync("RCPT TO:<bug@example.net>", "451"); // it threw: nobody is let in
        await client.SayAsync("RSET", "250");
        await client.SendAsync("lisa@example.org", "files@example.net", "Subject: To keep\r\n\r\nx", "250");
        await client.SendAsync("new@example.org", "maggie@example.net", "Subject: Hello\r\n\r\nx", "250");
        await client.SayAsync("QUIT", "221");
        var message = await sink.WaitForMessageAsync(
            static m => m.Recipients.Contains(Mailbox.Parse("archive@example.net")), TimeSpan.FromSeconds(30));
        Console.WriteLine($"the archive has a message from {message.Sender}");
    }

    // The log says which rule decided, and why.
    var log = string.Concat(Directory.GetFiles(Path.Combine(data.FullName, "logs"), "policy-*.jsonl").Select(File.ReadAllText));
    if (!log.Contains("it is Sunday there", StringComparison.Ordinal) || sink.Messages.Count != 1)
        throw new InvalidDataException("the log does not say why, or what should wait does not");
    Console.WriteLine("the log names office_hours, and one message waits for an operator");
    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or TimeoutException)
{
    Console.WriteLine(e.Message);
    return 1;
}
finally
{
    data.Delete(recursive: true);
}
