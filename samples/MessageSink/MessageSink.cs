using System.Net;
using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Transport;

namespace Samples;

/// <summary>A server for tests: on a free loopback port it takes every message, and a test waits for the one it wants. Copy it into your tests.</summary>
public sealed class MessageSink : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly List<ReceivedMessage> messages = [];
    private readonly SmtpServer server;
    private TaskCompletionSource arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MessageSink() => server = new SmtpServer(new SmtpServerOptions
    {
        Listeners = [new SmtpListenerOptions { Name = "sink", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
        Policy = EnvelopePolicy.From(static (_, _, _) => new(new Verdict.Permit("sink"))),
        Store = MessageStore.From(KeepAsync),
    });

    /// <summary>Where to send.</summary>
    public IPEndPoint Endpoint => server.Endpoints[0].Endpoint;

    /// <summary>What has arrived so far, in order.</summary>
    public IReadOnlyList<ReceivedMessage> Messages
    {
        get
        {
            lock (gate)
                return [.. messages];
        }
    }

    public static Task<MessageSink> StartAsync()
    {
        var sink = new MessageSink();
        sink.server.Start();
        return Task.FromResult(sink);
    }

    /// <summary>The first message that is wanted, whether it has arrived already or is still to come.</summary>
    /// <exception cref="TimeoutException">None came in time; it says what did.</exception>
    public async Task<ReceivedMessage> WaitForMessageAsync(Func<ReceivedMessage, bool> isWanted, TimeSpan timeout, CancellationToken ct = default)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(timeout);
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (messages.Find(m => isWanted(m)) is { } found)
                    return found;
                next = arrival.Task;
            }

            try
            {
                await next.WaitAsync(late.Token);
            }
            catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
            {
                var seen = string.Join('\n', Messages.Select(static m => $"  from {m.Sender} to {string.Join(", ", m.Recipients)}"));
                throw new TimeoutException($"no such message within {timeout}; {Messages.Count} arrived\n{seen}", e);
            }
        }
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Task KeepAsync(ReceivedMessage message, CancellationToken ct)
    {
        TaskCompletionSource arrived;
        lock (gate)
        {
            messages.Add(message);
            (arrived, arrival) = (arrival, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        arrived.SetResult();
        return Task.CompletedTask;
    }
}
