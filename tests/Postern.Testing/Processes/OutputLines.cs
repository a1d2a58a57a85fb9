using System.Text;

namespace Postern.Testing.Processes;

/// <summary>Collects the lines of one stream of a process, and lets a test wait for one.</summary>
public sealed class OutputLines
{
    private readonly Lock gate = new();
    private readonly StringBuilder text = new();
    private readonly List<string> lines = [];
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Found)> waiting = [];
    private bool isEnded;

    public string Text
    {
        get
        {
            lock (gate)
                return text.ToString();
        }
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (gate)
                return [.. lines];
        }
    }

    /// <summary>The first line that fits, also one that has come already.</summary>
    /// <exception cref="EndOfStreamException">The stream ended without it.</exception>
    public Task<string> FindAsync(Func<string, bool> wanted)
    {
        lock (gate)
        {
            if (lines.FirstOrDefault(wanted) is { } line)
                return Task.FromResult(line);
            var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (isEnded)
                found.SetException(new EndOfStreamException(text.ToString()));
            else
                waiting.Add((wanted, found));
            return found.Task;
        }
    }

    internal async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            Take(line);
        lock (gate)
        {
            isEnded = true;
            foreach (var (_, found) in waiting)
                found.TrySetException(new EndOfStreamException(text.ToString()));
        }
    }

    private void Take(string line)
    {
        lock (gate)
        {
            lines.Add(line);
            text.Append(line).Append('\n');
            foreach (var (_, found) in waiting.Where(w => w.Wanted(line)))
                found.TrySetResult(line);
            waiting.RemoveAll(static w => w.Found.Task.IsCompleted);
        }
    }
}
