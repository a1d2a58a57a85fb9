using Postern.Smtp.Grammar;
using Samples;

// A relay that takes mail from those who log in, before a sink that stands for the next hop. Exits 1 when anything is not as it should be.
await using var sink = await MessageSink.StartAsync();
var relayer = new Relayer(sink.Endpoint, new Account("lisa", "tiger", "lisa@example.org"), new Account("bart", "lion", "bart@example.org"));
await using var relay = relayer.Start();

try
{
    await using var client = await Conversation.OpenAsync(relay.Endpoints[0].Endpoint);
    await client.StartTlsAsync(relayer.Tls.Certificate);
    await client.SayAsync("MAIL FROM:<lisa@example.org>", "530");
    await client.SayAsync("AUTH PLAIN AGxpc2EAbGlvbg==", "535"); // lisa with bart's password
    await client.SayAsync("AUTH PLAIN AExJU0EAdGlnZXI=", "235"); // LISA with her own
    await client.SayAsync("MAIL FROM:<bart@example.org>", "553 5.7.1 That address is not yours");
    await client.SendAsync("lisa@example.org", "maggie@example.net", "Subject: Hello\r\n\r\nGood to see you.", "250");
    await client.SayAsync("QUIT", "221");

    var message = await sink.WaitForMessageAsync(static m => m.Recipients.Contains(Mailbox.Parse("maggie@example.net")), TimeSpan.FromSeconds(10));
    Console.WriteLine($"the next hop has a message from {message.Sender} with {message.Content.Length} octets");
    await sink.DisposeAsync();
    await using var late = await Conversation.OpenAsync(relay.Endpoints[0].Endpoint);
    await late.StartTlsAsync(relayer.Tls.Certificate);
    await late.SayAsync("AUTH PLAIN AExJU0EAdGlnZXI=", "235");
    await late.SendAsync("lisa@example.org", "maggie@example.net", "Subject: Again\r\n", "451 4.4.1");
    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or TimeoutException)
{
    Console.WriteLine(e.Message);
    return 1;
}
