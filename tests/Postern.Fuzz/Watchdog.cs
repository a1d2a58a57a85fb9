using System.Diagnostics;

namespace Postern.Fuzz;

/// <summary>Notices an input that does not come to an end. Such a run cannot be stopped: the input is written down and the process ends.</summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>A million times what an input takes: no load on the machine explains it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Timer timer;
    private readonly string directory;
    private string target = string.Empty;
    private ReadOnlyMemory<byte> input;
    private long count;
    private long seen;
    private long seenAt;
    private bool isRunning;

    public Watchdog(string directory)
    {
        this.directory = directory;
        timer = new Timer(_ => Look(), state: null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    public void Begin(string name, ReadOnlyMemory<byte> next)
    {
        (target, input) = (name, next);
        Volatile.Write(ref count, count + 1);
        Volatile.Write(ref isRunning, value: true);
    }

    public void End() => Volatile.Write(ref isRunning, value: false);

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        var now = Volatile.Read(ref count);
        if (now != seen || !Volatile.Read(ref isRunning))
        {
            (seen, seenAt) = (now, Stopwatch.GetTimestamp());
            return;
        }

        if (Stopwatch.GetElapsedTime(seenAt) < Patience)
            return;
        var finding = new Finding(target, input.ToArray(), $"no end within {Patience.TotalSeconds} seconds");
        Console.WriteLine($"{target}: {finding.What}\n  {finding.Save(directory)}");
        Environment.Exit(1);
    }
}
