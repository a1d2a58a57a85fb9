using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Postern.Relay.Accounts.Stores.Pam;

/// <summary>
/// Where PAM is asked: a thread for each question, for a module blocks for as long as it likes and cannot be called off. One that nobody
/// waits for any more keeps its thread until it comes back.
/// </summary>
/// <param name="service">Stands in the names of the threads.</param>
/// <param name="most">So many at a time.</param>
/// <param name="patience">Whoever takes longer hangs.</param>
internal sealed class PamThreads(string service, int most, TimeSpan patience, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly LinkedList<long> begun = [];

    /// <summary>Questions under way, those included that nobody waits for any more.</summary>
    public int UnderWay
    {
        get
        {
            lock (gate)
                return begun.Count;
        }
    }

    /// <summary>What the modules keep, for people; null where none hangs.</summary>
    public string? Hanging
    {
        get
        {
            lock (gate)
            {
                var hanging = begun.Count(at => clock.GetElapsedTime(at) >= patience);
                return hanging == 0 ? null : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{hanging} of {most} threads wait for modules of '{service}' that do not come back, one of them for "
                        + $"{clock.GetElapsedTime(begun.First!.Value).TotalSeconds:0} s");
            }
        }
    }

    /// <summary>Runs it on a thread of its own; false where there are as many as there may be.</summary>
    public bool TryRun<T>(Func<T> work, [NotNullWhen(true)] out Task<T>? asked)
    {
        asked = null;
        // Continuations run elsewhere: the thread is to end.
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<long> place;
        lock (gate)
        {
            if (begun.Count >= most)
                return false;
            place = begun.AddLast(clock.GetTimestamp());
        }

        try
        {
            new Thread(() => Run(work, answer, place)) { IsBackground = true, Name = $"pam {service}" }.Start();
        }
        catch
        {
            Leave(place);
            throw;
        }

        asked = answer.Task;
        return true;
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whoever waits gets it.")]
    private void Run<T>(Func<T> work, TaskCompletionSource<T> answer, LinkedListNode<long> place)
    {
        try
        {
            var found = work();
            Leave(place);
            answer.SetResult(found);
        }
        catch (Exception e)
        {
            Leave(place);
            answer.SetException(e);
            _ = answer.Task.Exception; // it may be that nobody waits any more
        }
    }

    private void Leave(LinkedListNode<long> place)
    {
        lock (gate)
        {
            if (place.List is not null)
                begun.Remove(place);
        }
    }
}
