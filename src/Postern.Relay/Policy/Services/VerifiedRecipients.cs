using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// What servers have said of recipients, remembered. One that many want to know of is asked for once, and few are asked for at a time: the
/// names are strangers' choice. Any thread may ask.
/// </summary>
internal sealed class VerifiedRecipients(IRecipientProbe probe, TimeProvider clock)
{
    /// <summary>So many are asked for at a time.</summary>
    public const int MostQuestions = 20;

    /// <summary>So many are remembered.</summary>
    public const int Capacity = 50_000;

    /// <summary>Longer than any rule waits.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(61);

    private readonly SharedQuestions<string, ProbeAnswer> questions = new(MostQuestions, Longest, clock);
    private readonly Lock gate = new();
    private readonly BoundedMap<Entry> known = new(Capacity);

    /// <summary>Null where nothing is remembered that is young enough.</summary>
    public ProbeAnswer? Remembered(Mailbox recipient, TimeSpan positive, TimeSpan negative)
    {
        lock (gate)
        {
            return known.TryGet(recipient.Canonical, out var entry)
                && clock.GetElapsedTime(entry.At) < (entry.Answer is ProbeAnswer.Known ? positive : negative)
                    ? entry.Answer
                    : null;
        }
    }

    /// <summary>Asks; what was said is remembered.</summary>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public async ValueTask<ProbeAnswer> AskAsync(Mailbox recipient, CancellationToken ct)
    {
        var answer = await questions.AskAsync(recipient.Canonical, end => probe.AskAsync(recipient, end), ct)
            ?? new ProbeAnswer.Unavailable("too many others are asked for");
        if (answer is not ProbeAnswer.Unavailable)
        {
            lock (gate)
                known.Add(recipient.Canonical, new Entry(answer, clock.GetTimestamp()));
        }

        return answer;
    }

    private readonly record struct Entry(ProbeAnswer Answer, long At);
}
