using System.Net;
using System.Text;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Client;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>Plays a client that sends everything at once, cut as told, to a session without a network.</summary>
internal sealed class InMemorySession
{
    private readonly SmtpServer server;
    private readonly SmtpListenerOptions options;

    public InMemorySession(BareNewlines bareNewlines = BareNewlines.Reject, IEnvelopePolicy? policy = null, SessionLimits? limits = null)
    {
        options = new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, BareNewlines = bareNewlines };
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [options],
            Policy = policy ?? new TestPolicy(),
            Store = Store,
            Limits = limits ?? new SessionLimits(),
        });
    }

    public MemoryStore Store { get; } = new();

    /// <summary>Answers the codes of the replies.</summary>
    /// <param name="cuts">Where the stream is cut; everything comes in one piece without.</param>
    public async Task<string> PlayAsync(byte[] says, params int[] cuts)
    {
        await using var stream = new ScriptedStream(says, int.MaxValue, cuts);
        await server.HoldAsync(stream, options, IPAddress.Loopback);
        var lines = Encoding.Latin1.GetString(stream.Heard.ToArray()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', lines.Where(static l => l[3] == ' ').Select(static l => l[..3]));
    }
}
