using System.Net.Security;
using System.Security.Authentication;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport.Tls;

namespace Postern.Fuzz.Targets;

/// <summary>The first message of a TLS client, read before anything is known of it: it is a hello with at most what the rules allow, or none; what comes behind it changes nothing.</summary>
internal sealed class ClientHelloTarget : ITarget
{
    public string Name => "hello";

    public IEnumerable<byte[]> Seeds => [Hello(SslProtocols.Tls12), Hello(SslProtocols.Tls13), Hello(SslProtocols.Tls12 | SslProtocols.Tls13)];

    public int MaxOctets => 4096;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var hello = ClientHello.Read(input.Span, SslProtocols.Tls12 | SslProtocols.Tls13);
        var trouble = HandshakeTrouble.OfClient(new IOException(), input.Span, "x");
        BrokenException.Unless(trouble.Length is > 0 and < 400 && !trouble.Any(char.IsControl), "a reason is one line of text");
        signal.Add(trouble.Length);
        if (hello is not { } read)
            return new(signal.Value);
        BrokenException.Unless(CommandLine.IsTlsRecord(input.Span), "a hello is a TLS record");
        BrokenException.Unless(HandshakeTrouble.WhatInstead(input.Span, "x") is null, "a hello is nothing else");
        signal.Add(read.Version);
        signal.Add((read.TakesEcdsa ? 1 : 0) + (read.TakesRsa ? 2 : 0));
        return new(signal.Value);
    }

    private static byte[] Hello(SslProtocols versions)
    {
        using var wire = new MemoryStream();
        using var client = new SslStream(wire);
        try
        {
            client.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "mail.example.org", EnabledSslProtocols = versions });
        }
        catch (IOException)
        {
            // Nobody answers.
        }

        return wire.ToArray();
    }
}
