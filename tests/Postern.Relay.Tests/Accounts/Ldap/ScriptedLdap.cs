using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts.Stores.Ldap;

namespace Postern.Relay.Tests.Accounts.Ldap;

/// <summary>A server that answers as a test says, for what no server at hand does: the words of Active Directory, and answers that are none.</summary>
internal sealed class ScriptedLdap : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, int, byte[]?> answer;

    /// <param name="answer">From the number of a question and the tag of its operation to octets; null ends the connection.</param>
    public ScriptedLdap(Func<int, int, byte[]?> answer)
    {
        this.answer = answer;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>What was asked, by the tags of operations: 0 is a bind, 3 a search.</summary>
    public ConcurrentQueue<int> Asked { get; } = new();

    /// <summary>The octets of the questions.</summary>
    public ConcurrentQueue<byte[]> Questions { get; } = new();

    /// <summary>The end of an answer: 1 of a bind, 5 of a search.</summary>
    public static byte[] Done(int id, int operation, int code, string words = "")
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, operation, isConstructed: true)))
            {
                writer.WriteEnumeratedValue((Code)code);
                writer.WriteOctetString([]);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(words));
            }
        }

        return writer.Encode();
    }

    public static byte[] Entry(int id, string dn, params (string Attribute, string Value)[] attributes)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 4, isConstructed: true)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(dn));
                using (writer.PushSequence())
                {
                    foreach (var (attribute, value) in attributes)
                    {
                        using (writer.PushSequence())
                        {
                            writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                            using (writer.PushSetOf())
                                writer.WriteOctetString(Encoding.UTF8.GetBytes(value));
                        }
                    }
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Another server may know more (§4.5.3).</summary>
    public static byte[] Reference(int id, string uri)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 19, isConstructed: true)))
                writer.WriteOctetString(Encoding.UTF8.GetBytes(uri));
        }

        return writer.Encode();
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            var buffer = new byte[1 << 16];
            var filled = 0;
            try
            {
                while (await client.GetStream().ReadAsync(buffer.AsMemory(filled)) is > 0 and var read)
                {
                    filled += read;
                    while (LdapMessage.Measure(buffer.AsSpan(0, filled)) is > 0 and var size && size <= filled)
                    {
                        var question = new AsnReader(buffer.AsMemory(0, size), AsnEncodingRules.BER).ReadSequence();
                        question.TryReadInt32(out var id);
                        var operation = question.PeekTag().TagValue;
                        Asked.Enqueue(operation);
                        Questions.Enqueue(buffer[..size]);
                        if (answer(id, operation) is not { } octets)
                            return;
                        await client.GetStream().WriteAsync(octets);
                        buffer.AsSpan(size, filled - size).CopyTo(buffer);
                        filled -= size;
                    }
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The other side has left.
            }
        }
    }

    private enum Code
    {
        None = 0,
    }
}
