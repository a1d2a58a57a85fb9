using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// Questions to somebody who takes a while: the same one is asked once, however many want to know; none takes longer than
/// <paramref name="timeout"/>; and no more than <paramref name="most"/> are under way. One that nobody waits for any more is cancelled. No
/// thread waits.
/// </summary>
internal sealed class SharedQuestions<TKey, TAnswer>(int most, TimeSpan timeout, TimeProvider clock)
    where TKey : notnull
    where TAnswer : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Question> open = [];
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

    /// <summary>The answer; null where there is no room for one question more.</summary>
    /// <param name="ask">Called once for all who want to know, and not under a lock. What it throws, they get.</param>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public async ValueTask<TAnswer?> AskAsync(TKey key, Func<CancellationToken, ValueTask<TAnswer>> ask, CancellationToken ct)
    {
        if (Join(key, out var isNew) is not { } question)
            return null;
        if (isNew)
            _ = RunAsync(key, question, ask);
        try
        {
            return await question.Answer.WaitAsync(ct);
        }
        finally
        {
            Leave(key, question);
        }
    }

    /// <summary>Null for no room.</summary>
    /// <param name="isNew">It is yet to be asked.</param>
    private Question? Join(TKey key, out bool isNew)
    {
        isNew = false;
        lock (gate)
        {
            if (open.TryGetValue(key, out var question))
            {
                question.Waiting++;
                return question;
            }

            if (underWay >= most)
                return null;
            underWay++;
            isNew = true;
            return open[key] = new Question(new CancellationTokenSource(timeout, clock), clock.GetTimestamp()) { Waiting = 1 };
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

    private void Leave(TKey key, Question question)
    {
        lock (gate)
        {
            if (--question.Waiting > 0 || question.IsOver)
                return;
            question.IsLeft = true;
            Close(key, question);
        }

        question.End.Cancel();
        question.End.Dispose();
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whoever waits gets it.")]
    private async Task RunAsync(TKey key, Question question, Func<CancellationToken, ValueTask<TAnswer>> ask)
    {
        // Whoever does not heed the end is not waited for, and counts until it comes back.
        await using var deadline = question.End.Token.UnsafeRegister(static state => ((Question)state!).GiveUp(), question);
        TAnswer? answer = null;
        Exception? fault = null;
        try
        {
            answer = await ask(question.End.Token);
        }
        catch (OperationCanceledException) when (question.End.IsCancellationRequested)
        {
            // GiveUp says so.
        }
        catch (Exception e)
        {
            fault = e;
        }

        // Before anybody hears of it: who asks again has heard this answer, and wants another.
        bool isLeft;
        lock (gate)
        {
            underWay--;
            question.IsOver = true;
            Close(key, question);
            isLeft = question.IsLeft;
        }

        if (fault is not null)
            question.Fail(fault);
        else if (answer is not null)
            question.Found(answer);
        else
            question.GiveUp();
        if (!isLeft)
            question.End.Dispose();
    }

    private void Close(TKey key, Question question)
    {
        if (open.TryGetValue(key, out var current) && ReferenceEquals(current, question))
            open.Remove(key);
    }

    private sealed class Question(CancellationTokenSource end, long askedAt)
    {
        // Continuations run elsewhere: a session must never run where an answer comes in.
        private readonly TaskCompletionSource<TAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource End => end;

        public long AskedAt => askedAt;

        public Task<TAnswer> Answer => answer.Task;

        /// <summary>Under the gate, like the two below.</summary>
        public int Waiting { get; set; }

        /// <summary>The one who was asked has come back.</summary>
        public bool IsOver { get; set; }

        /// <summary>Nobody waits any more; whoever left last ends it.</summary>
        public bool IsLeft { get; set; }

        public void Found(TAnswer found) => answer.TrySetResult(found);

        public void Fail(Exception e)
        {
            if (answer.TrySetException(e))
                _ = answer.Task.Exception; // it may be that nobody waits any more
        }

        public void GiveUp() => Fail(new TimeoutException("no answer in time"));
    }
}
