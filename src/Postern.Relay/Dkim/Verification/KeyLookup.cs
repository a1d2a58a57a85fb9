using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Dkim.Verification;

/// <summary>
/// Finds the keys that verify one message, each once, within the time that all of them have together. Whoever wrote the message says which
/// are asked for, so there is a number to them.
/// </summary>
/// <param name="query">Asks for TXT records.</param>
/// <param name="inTime">Cancelled when the time is over; a key is unavailable then.</param>
/// <param name="ct">Ends everything.</param>
internal sealed class KeyLookup(
    Func<string, CancellationToken, ValueTask<DnsAnswer>> query, CancellationToken inTime, CancellationToken ct)
{
    /// <summary>A whole chain of ARC and all signatures that are looked at fit.</summary>
    private const int Most = 64;

    private readonly Dictionary<string, KeyAnswer> answers = new(StringComparer.Ordinal);

    public async ValueTask<KeyAnswer> FindAsync(string domain, string selector)
    {
        var name = DkimRecord.NameOf(domain, selector);
        if (answers.TryGetValue(name, out var known))
            return known;
        return answers[name] = answers.Count >= Most
            ? new KeyAnswer.None("the message names too many keys")
            : await AskAsync(name).ConfigureAwait(false);
    }

    private async ValueTask<KeyAnswer> AskAsync(string name)
    {
        DnsAnswer answer;
        try
        {
            answer = await query(name, inTime).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new KeyAnswer.Unavailable("no key in time");
        }

        if (answer.Status == DnsStatus.Unavailable)
            return new KeyAnswer.Unavailable("DNS does not answer");
        var why = "no key";
        foreach (var record in answer.Records.OfType<DnsRecord.Txt>().Take(4))
        {
            if (PublishedKey.Read(record.Text, out var problem) is { } key)
                return new KeyAnswer.Found(key);
            why = problem!;
        }

        return new KeyAnswer.None(why);
    }
}
