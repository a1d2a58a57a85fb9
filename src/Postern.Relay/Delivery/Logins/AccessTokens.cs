using Postern.Relay.Accounts.OAuth;
using Postern.Sasl;

namespace Postern.Relay.Delivery.Logins;

/// <summary>
/// Access tokens for next hops: one a grant, asked for once for all who wait, renewed before it ends, and for a while used on where it
/// cannot be renewed. A refusal is told once, until a token is had again. May be called from any thread.
/// </summary>
internal sealed class AccessTokens
{
    /// <summary>A token that has less time left is renewed.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    /// <summary>No endpoint is asked more often after an answer without a token.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<TokenGrant, Entry> entries = [];
    private readonly KeptTokens kept;
    private readonly TimeProvider clock;
    private readonly Action<TokenGrant, string> refused;

    /// <summary>Most servers have no such login.</summary>
    private readonly Lazy<TokenEndpoint> endpoint;

    /// <param name="directory">Where refresh tokens are kept; null: nowhere.</param>
    /// <param name="refused">Told once of what an endpoint refuses for good, in words for people.</param>
    public AccessTokens(string? directory, TimeProvider clock, Action<TokenGrant, string> refused)
    {
        (kept, this.clock, this.refused) = (new KeptTokens(directory), clock, refused);
        endpoint = new Lazy<TokenEndpoint>(() => new TokenEndpoint(GuardedFetch.Create(), clock));
    }

    /// <summary>Takes a word for the log, and its details.</summary>
    public Action<string, string>? Tell { get; set; }

    /// <summary>A token that is good now; else why there is none.</summary>
    public async ValueTask<TokenAnswer> GetAsync(TokenGrant grant, CancellationToken ct)
    {
        Task<TokenAnswer> asked;
        Entry entry;
        lock (gate)
        {
            if (!entries.TryGetValue(grant, out entry!))
                entries[grant] = entry = new Entry();
            var now = clock.GetUtcNow();
            if (entry.Token is { } token && now < token.Until - Margin(token, entry.Since))
                return token;
            if (entry.Asking is null
                && entry.Last is { } last
                && now < entry.AskedAt + Pause
                && kept.WrittenAt(grant) == entry.Seen)
                return StillGood(entry, now) ?? last;
            asked = entry.Asking ??= AskAsync(grant, entry);
        }

        var answer = await asked.WaitAsync(ct).ConfigureAwait(false);
        if (answer is TokenAnswer.Granted)
            return answer;
        lock (gate)
            return StillGood(entry, clock.GetUtcNow()) ?? answer;
    }

    /// <summary>The next hop did not take a token: it is not used again, and a new one is asked for once it is not new any more.</summary>
    public void Discard(TokenGrant grant, Secret token)
    {
        lock (gate)
        {
            if (entries.TryGetValue(grant, out var entry)
                && entry.Token is { Token: var known }
                && known.Equals(token)
                && clock.GetUtcNow() >= entry.Since + Pause)
                entry.Token = null;
        }
    }

    private static TimeSpan Margin(TokenAnswer.Granted token, DateTimeOffset since) =>
        RenewBefore < (token.Until - since) / 4 ? RenewBefore : (token.Until - since) / 4;

    private static TokenAnswer.Granted? StillGood(Entry entry, DateTimeOffset now) =>
        entry.Token is { } token && now < token.Until ? token : null;

    private async Task<TokenAnswer> AskAsync(TokenGrant grant, Entry entry)
    {
        // Out of the gate.
        await Task.Yield();
        TokenAnswer answer;
        try
        {
            answer = await AnswerAsync(grant, entry).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            answer = new TokenAnswer.Unavailable(e.Message);
        }

        var isNews = false;
        lock (gate)
        {
            entry.Asking = null;
            entry.AskedAt = clock.GetUtcNow();
            entry.Seen = kept.WrittenAt(grant);
            if (answer is TokenAnswer.Granted granted)
            {
                (entry.Token, entry.Since, entry.Last, entry.IsTold) = (granted, entry.AskedAt, null, false);
            }
            else
            {
                entry.Last = answer;
                isNews = answer is TokenAnswer.Refused && !entry.IsTold;
                entry.IsTold |= isNews;
            }
        }

        if (isNews && answer is TokenAnswer.Refused(_, var words))
            refused(grant, words);
        return answer;
    }

    private async ValueTask<TokenAnswer> AnswerAsync(TokenGrant grant, Entry entry)
    {
        if (grant.Kind != GrantKind.RefreshToken)
            return await endpoint.Value.AskAsync(grant, refresh: null, CancellationToken.None).ConfigureAwait(false);
        // What somebody has written since is newer than what could not be.
        var newest = entry.Unkept is { } unkept && kept.WrittenAt(grant) == unkept.Beside ? unkept.Token : kept.Read(grant);
        if ((newest ?? grant.RefreshToken) is not { } refresh)
            return new TokenAnswer.Refused("no_token", $"nobody has allowed it yet: postern oauth login {grant.Account}");
        var answer = await endpoint.Value.AskAsync(grant, refresh, CancellationToken.None).ConfigureAwait(false);
        // What was kept may be older than what somebody has just written into the configuration.
        if (answer is TokenAnswer.Refused && newest is not null && grant.RefreshToken is { } written && !written.Equals(newest))
            answer = await endpoint.Value.AskAsync(grant, refresh = written, CancellationToken.None).ConfigureAwait(false);
        if (answer is TokenAnswer.Granted { Refresh: var next })
        {
            if (next is not null && !next.Equals(refresh))
                Keep(grant, entry, next);
            else if (entry.Unkept is { Token: var waiting } && waiting.Equals(refresh))
                Keep(grant, entry, waiting);
        }

        return answer;
    }

    /// <summary>
    /// A server that gives a new refresh token may take the old one no more. Where it cannot be written, it is used from memory, and
    /// written when the next one is asked for.
    /// </summary>
    private void Keep(TokenGrant grant, Entry entry, Secret refresh)
    {
        var isNews = entry.Unkept is null;
        entry.Unkept = (refresh, kept.WrittenAt(grant));
        try
        {
            kept.Write(grant, refresh);
            entry.Unkept = null;
        }
        catch (IOException e)
        {
            if (isNews)
                Tell?.Invoke(
                    "oauth_not_kept",
                    $"the refresh token of {grant.Account} cannot be written, so a restart would lose it: {e.Message}");
        }
    }

    private sealed class Entry
    {
        public TokenAnswer.Granted? Token { get; set; }

        /// <summary>When <see cref="Token"/> was had.</summary>
        public DateTimeOffset Since { get; set; }

        public Task<TokenAnswer>? Asking { get; set; }

        /// <summary>The last answer without a token; null after one with.</summary>
        public TokenAnswer? Last { get; set; }

        public DateTimeOffset AskedAt { get; set; }

        /// <summary>When what is kept had been written by then.</summary>
        public DateTimeOffset? Seen { get; set; }

        public bool IsTold { get; set; }

        /// <summary>A refresh token that could not be written, and when what was kept had been written by then.</summary>
        public (Secret Token, DateTimeOffset? Beside)? Unkept { get; set; }
    }
}
