using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>
/// Clients that log in over TLS and send one message after the other, each with an id of its own, and keep what the server answered. When
/// the server goes they wait for the next one.
/// </summary>
internal sealed class SubmissionLoad : IAsyncDisposable
{
    private const int LargeEvery = 100;
    private const int MostOctets = 3_000;
    private const int LargeOctets = 300_000;

    private readonly ConcurrentDictionary<string, string> sent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> surprises = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> clients = [];
    private TaskCompletionSource<IPEndPoint> server = New<IPEndPoint>();
    private TaskCompletionSource nextAcknowledgement = New();
    private int lastId;
    private Exception? lastEnd;

    public SubmissionLoad(int count)
    {
        for (var i = 0; i < count; i++)
            clients.Add(Task.Run(RunAsync));
    }

    /// <summary>Digests of the bodies by id, of everything that was begun.</summary>
    public IReadOnlyDictionary<string, string> Sent => sent;

    /// <summary>The ids that were answered 250.</summary>
    public ICollection<string> Acknowledged => acknowledged.Keys;

    /// <summary>Replies that no server may give here.</summary>
    public IReadOnlyCollection<string> Surprises => surprises;

    /// <summary>Ends when one more message has been acknowledged.</summary>
    /// <exception cref="TimeoutException">None came; it says what became of the clients.</exception>
    public async Task NextAcknowledgementAsync()
    {
        try
        {
            await Volatile.Read(ref nextAcknowledgement).Task.WaitAsync(TimeSpan.FromMinutes(10));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"{clients.Count(static client => !client.IsCompleted)} of {clients.Count} clients go on; {sent.Count} begun, {acknowledged.Count} acknowledged; "
                    + $"ended by {lastEnd}; surprised by {string.Join(" | ", surprises.TakeLast(3))}; client died of {clients.FirstOrDefault(static client => client.IsFaulted)?.Exception}",
                e);
        }
    }

    public void SendTo(IPEndPoint endpoint) => Volatile.Read(ref server).TrySetResult(endpoint);

    /// <summary>Connections that are open go on; none is made until <see cref="SendTo"/>.</summary>
    public void AwaitServer() => Volatile.Write(ref server, New<IPEndPoint>());

    /// <summary>Ends after the message that each client is at.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        Volatile.Read(ref server).TrySetCanceled();
        await Task.WhenAll(clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stopping.Dispose();
    }

    public static string DigestOf(ReadOnlySpan<byte> body) => Convert.ToHexString(SHA256.HashData(body));

    private async Task RunAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var dialogue = await SmtpDialogue.GreetAsync(await Volatile.Read(ref server).Task, implicitTls: true);
                await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
                while (!stopping.IsCancellationRequested)
                    await SendOneAsync(dialogue);
            }
            catch (InvalidDataException e)
            {
                surprises.Enqueue(e.Message);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or AuthenticationException or OperationCanceledException)
            {
                // The server was killed, or the load ends.
                lastEnd = e;
            }
        }
    }

    private async Task SendOneAsync(SmtpDialogue dialogue)
    {
        var number = Interlocked.Increment(ref lastId);
        var id = number.ToString("d8", CultureInfo.InvariantCulture);
        var body = Body(number % LargeEvery == 0 ? LargeOctets : Random.Shared.Next(1, MostOctets));
        sent[id] = DigestOf(Encoding.Latin1.GetBytes(body));
        await dialogue.BeginDataAsync(PosternHome.User, $"{id}@sink.example");
        await dialogue.SayAsync($"Subject: {id}\r\n\r\n{body}.", "250 2.0.0 Queued as ");
        acknowledged[id] = 0;
        Interlocked.Exchange(ref nextAcknowledgement, New()).TrySetResult();
    }

    private static string Body(int octets)
    {
        var text = Convert.ToBase64String(RandomNumberGenerator.GetBytes(octets), Base64FormattingOptions.InsertLineBreaks);
        return text + "\r\n";
    }

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
