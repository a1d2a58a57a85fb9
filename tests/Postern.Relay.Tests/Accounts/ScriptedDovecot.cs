using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Sasl;

namespace Postern.Relay.Tests.Accounts;

/// <summary>What stands in for a Dovecot that misbehaves: it says what a test says, to each line that it hears.</summary>
internal sealed class ScriptedDovecot : IAsyncDisposable
{
    public const string Hello = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Lock gate = new();
    private readonly List<TcpClient> clients = [];
    private readonly List<string> heard = [];
    private readonly Task serving;
    private TaskCompletionSource signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int connections;

    public ScriptedDovecot()
    {
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>What a new connection is told.</summary>
    public string Greeting { get; set; } = Hello;

    /// <summary>What is said to a line, by the number of the connection from 0 on; null for nothing, and empty for the end of the connection.</summary>
    public Func<string, int, string?> Answer { get; set; } = static (_, _) => null;

    public int Connections => Volatile.Read(ref connections);

    /// <summary>All lines of all connections, without those of the handshake.</summary>
    public string[] Heard
    {
        get
        {
            lock (gate)
                return [.. heard];
        }
    }

    /// <summary>Waits until such a line has been heard.</summary>
    public async Task HearAsync(Predicate<string> isIt)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (heard.Exists(isIt))
                    return;
                next = signal.Task;
            }

            await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until so many connections have come.</summary>
    public async Task AcceptAsync(int count)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (clients.Count >= count)
                    return;
                next = signal.Task;
            }

            await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Says something that is no answer to what was heard last.</summary>
    /// <param name="connection">Its number, from 0 on.</param>
    public Task SayAsync(int connection, string text)
    {
        lock (gate)
            return SayAsync(clients[connection], text);
    }

    /// <summary>The number of the request that a line begins or goes on with.</summary>
    public static string NumberOf(string line) => line.Split('\t')[1];

    /// <summary>The decoded message behind <c>resp=</c>, with <c>|</c> for NUL.</summary>
    public static string MessageOf(string line) =>
        StrictBase64.TryDecode(Encoding.ASCII.GetBytes(line[(line.IndexOf("\tresp=", StringComparison.Ordinal) + 6)..]), out var octets)
            ? Encoding.UTF8.GetString(octets).Replace('\0', '|')
            : throw new FormatException(line);

    /// <summary>Ends all connections, as a Dovecot that is started anew does.</summary>
    public void HangUp()
    {
        lock (gate)
        {
            clients.ForEach(static c => c.Dispose());
            clients.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        HangUp();
        await serving;
        listener.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> all = [];
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                all.Add(ServeAsync(client, Interlocked.Increment(ref connections) - 1));
                Tell(() => clients.Add(client));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was closed.
        }

        HangUp();
        await Task.WhenAll(all);
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        try
        {
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            await SayAsync(client, Greeting);
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("VERSION\t", StringComparison.Ordinal) || line.StartsWith("CPID\t", StringComparison.Ordinal))
                    continue;
                Tell(() => heard.Add(line));
                switch (Answer(line, number))
                {
                    case "":
                        client.Dispose();
                        return;
                    case { } said:
                        await SayAsync(client, said);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It left.
        }
    }

    /// <summary>Does it, and wakes whoever waits for it.</summary>
    private void Tell(Action what)
    {
        TaskCompletionSource told;
        lock (gate)
        {
            what();
            (told, signal) = (signal, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        told.SetResult();
    }

    private static Task SayAsync(TcpClient client, string text) => client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

    /// <summary>Says <c>FAIL</c> with these fields to each request.</summary>
    public static Func<string, int, string?> Failing(string fields) => (line, _) => Request(line) is { } number ? $"FAIL\t{number}{fields}\n" : null;

    /// <summary>Says <c>OK</c> with these fields to each request.</summary>
    public static Func<string, int, string?> Welcoming(string fields) => (line, _) => Request(line) is { } number ? $"OK\t{number}{fields}\n" : null;

    private static string? Request(string line) =>
        line.StartsWith("AUTH\t", StringComparison.Ordinal) ? uint.Parse(NumberOf(line), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) : null;
}
