using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// Questions to somebody who takes a while: the same one is asked once, however many want to know; none takes longer than
/// <paramref name="timeout"/>; and no more than <paramref name="most"/> are under way. The others wait for their turn, for half of the
/// timeout at most, so that each has the other half for its answer. One that nobody waits for any more is cancelled. No thread waits.
/// </summary>
internal sealed class SharedQuestions<TKey, TAnswer>(int most, TimeSpan timeout, TimeProvider clock)
    where TKey : notnull
    where TAnswer : class
{
    /// <summary>So many wait for a turn at most, for each that may be under way: more than have a chance of one.</summary>
    private const int WaitingForEach = 20;

    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Question> open = [];
    private readonly LinkedList<Question> queue = [];
    private int underWay;

    /// <summary>Questions that have not come to their end, those included that were given up.</summary>
    public int UnderWay
    {
        get
        {
            lock (gate)
                return underWay;
        }
    }

    /// <summary>Questions that have had no turn yet.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return queue.Count;
        }
    }

    /// <summary>The answer; null where the question had no turn, or there is no room to wait for one.</summary>
    /// <param name="ask">Called once for all who want to know, and not under a lock. What it throws, they get.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public async ValueTask<TAnswer?> AskAsync(TKey key, Func<CancellationToken, ValueTask<TAnswer>> ask, CancellationToken ct)
    {
        if (Join(key, ask, out var isItsTurn) is not { } question)
            return null;
        if (isItsTurn)
            _ = RunAsync(question);
        try
        {
            return await question.Answer.WaitAsync(ct);
        }
        finally
        {
            Leave(question);
        }
    }

    /// <summary>
    /// Whoever asks from now on asks anew, where the question that is under way was asked before <paramref name="since"/>; false where none
    /// was. Who waits for it goes on waiting.
    /// </summary>
    public bool Outdate(TKey key, long since)
    {
        lock (gate)
            return open.TryGetValue(key, out var question) && question.AskedAt < since && open.Remove(key);
    }

    /// <summary>Null for no room.</summary>
    /// <param name="isItsTurn">It is yet to be asked, and now.</param>
    private Question? Join(TKey key, Func<CancellationToken, ValueTask<TAnswer>> ask, out bool isItsTurn)
    {
        isItsTurn = false;
        lock (gate)
        {
            if (!open.TryGetValue(key, out var question))
            {
                isItsTurn = underWay < most;
                if (!isItsTurn && queue.Count >= WaitingForEach * most)
                    return null;
                open[key] = question = new Question(key, ask, clock.GetTimestamp());
                if (isItsTurn)
                    GiveTurn(question);
                else
                    Enqueue(question);
            }

            question.Waiting++;
            return question;
        }
    }

    private void Enqueue(Question question)
    {
        question.Place = queue.AddLast(question);
        question.Patience = clock.CreateTimer(
            _ => TurnAway(question), state: null, timeout / 2, Timeout.InfiniteTimeSpan);
    }

    /// <summary>It had no turn in time.</summary>
    private void TurnAway(Question question)
    {
        lock (gate)
        {
            if (!Dequeue(question))
                return;
            Close(question);
        }

        question.Answered(null);
    }

    /// <summary>False where it does not wait for a turn, or not any more.</summary>
    private bool Dequeue(Question question)
    {
        if (question.Place is not { } place)
            return false;
        queue.Remove(place);
        question.Place = null;
        question.Patience?.Dispose();
        return true;
    }

    private void GiveTurn(Question question)
    {
        underWay++;
        var left = timeout - clock.GetElapsedTime(question.JoinedAt);
        question.End = new CancellationTokenSource(left > timeout / 2 ? left : timeout / 2, clock);
        question.AskedAt = clock.GetTimestamp();
    }

    private void Leave(Question question)
    {
        lock (gate)
        {
            if (--question.Waiting > 0 || question.IsOver)
                return;
            Close(question);
            if (Dequeue(question) || question.End is null)
                return;
            question.IsLeft = true;
        }

        question.End.Cancel();
        question.End.Dispose();
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whoever waits gets it.")]
    private async Task RunAsync(Question question)
    {
        // Whoever does not heed the end is not waited for, and counts until it comes back.
        var end = question.End!;
        await using var deadline = end.Token.UnsafeRegister(static state => ((Question)state!).GiveUp(), question);
        TAnswer? answer = null;
        Exception? fault = null;
        try
        {
            answer = await question.Ask(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // GiveUp says so.
        }
        catch (Exception e)
        {
            fault = e;
        }

        // Before anybody hears of it: who asks again has heard this answer, and wants another.
        bool isLeft;
        Question? next;
        lock (gate)
        {
            underWay--;
            question.IsOver = true;
            Close(question);
            isLeft = question.IsLeft;
            next = queue.First?.Value;
            if (next is not null && Dequeue(next))
                GiveTurn(next);
        }

        // Elsewhere: were each begun by the one before it, many quick answers would have no room on the stack.
        if (next is not null)
            ThreadPool.UnsafeQueueUserWorkItem(
                static turn => _ = turn.All.RunAsync(turn.Next), (All: this, Next: next), preferLocal: false);
        if (fault is not null)
            question.Fail(fault);
        else if (answer is not null)
            question.Answered(answer);
        else
            question.GiveUp();
        if (!isLeft)
            end.Dispose();
    }

    private void Close(Question question)
    {
        if (open.TryGetValue(question.Key, out var current) && ReferenceEquals(current, question))
            open.Remove(question.Key);
    }

    private sealed class Question(TKey key, Func<CancellationToken, ValueTask<TAnswer>> ask, long joinedAt)
    {
        // Continuations run elsewhere: a session must never run where an answer comes in.
        private readonly TaskCompletionSource<TAnswer?> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TKey Key => key;

        public Func<CancellationToken, ValueTask<TAnswer>> Ask => ask;

        public long JoinedAt => joinedAt;

        public Task<TAnswer?> Answer => answer.Task;

        /// <summary>How many want to know. Under the gate, like all below.</summary>
        public int Waiting { get; set; }

        /// <summary>Where it waits for its turn; null once it had it, or was turned away.</summary>
        public LinkedListNode<Question>? Place { get; set; }

        /// <summary>Ends its wait for a turn.</summary>
        public ITimer? Patience { get; set; }

        /// <summary>Null before its turn.</summary>
        public CancellationTokenSource? End { get; set; }

        /// <summary>Before its turn, later than everything.</summary>
        public long AskedAt { get; set; } = long.MaxValue;

        /// <summary>The one who was asked has come back.</summary>
        public bool IsOver { get; set; }

        /// <summary>Nobody waits any more; whoever left last ends it.</summary>
        public bool IsLeft { get; set; }

        /// <param name="found">Null where it had no turn.</param>
        public void Answered(TAnswer? found) => answer.TrySetResult(found);

        public void Fail(Exception e)
        {
            if (answer.TrySetException(e))
                _ = answer.Task.Exception; // it may be that nobody waits any more
        }

        public void GiveUp() => Fail(new TimeoutException("no answer in time"));
    }
}
