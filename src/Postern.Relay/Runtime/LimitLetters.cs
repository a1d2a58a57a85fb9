using System.Globalization;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Limits;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Runtime;

/// <summary>
/// Tells users by mail that they come near a limit of their login, and that they are over it: of each limit once a day. A user without an
/// address is told nothing.
/// </summary>
/// <param name="table">What the configuration says now.</param>
/// <param name="addressOf">Where a user reads mail; null where that is not known.</param>
/// <param name="send">Stores a letter: to whom, its subject, its lines.</param>
internal sealed class LimitLetters(
    EventHub hub,
    Func<LimitTable> table,
    Func<string, CancellationToken, ValueTask<Mailbox?>> addressOf,
    Func<Mailbox, string, IReadOnlyList<string>, Task> send,
    TimeProvider clock) : IAsyncDisposable
{
    private const int MostRemembered = 10_000;

    private static readonly TimeSpan Pause = TimeSpan.FromDays(1);
    private static readonly string Prefix = $"{LimitScope.Logins.Word()}.";

    private readonly EventSubscription events = hub.Subscribe(new AuditQuery { Kinds = AuditKind.Server });
    private readonly RecentKeys<(string Whose, string Limit, string? Allowed, LimitState State)> told = new(MostRemembered, Pause, clock);
    private Task telling = Task.CompletedTask;

    public void Start() => telling = TellAsync();

    public async ValueTask DisposeAsync()
    {
        events.Dispose();
        await telling;
    }

    private async Task TellAsync()
    {
        await foreach (var live in events.ReadAsync(CancellationToken.None))
        {
            if (live is not LiveEvent.Happened { Event: LimitEvent limit }
                || !limit.Limit.StartsWith(Prefix, StringComparison.Ordinal)
                || table().Of(LimitScope.Logins) is not { Notifies: true })
                continue;
            var key = (limit.Whose, limit.Limit, limit.Allowed, limit.State);
            if (told.Contains(key) || await addressOf(limit.Whose, CancellationToken.None) is not { } address)
                continue;
            told.Add(key);
            await send(address, Subject(limit), Lines(limit));
        }
    }

    private static string Subject(LimitEvent limit) => limit.State == LimitState.Exceeded
        ? $"Your mail is over its limit of {limit.Allowed} {Things(limit)}"
        : $"Your mail is near its limit of {limit.Allowed} {Things(limit)}";

    private static List<string> Lines(LimitEvent limit) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"{limit.Whose} has used {limit.Used} of {limit.Allowed} {Things(limit)}."),
        limit.State == LimitState.Exceeded
            ? "Further mail is refused until some of it is free again. What was accepted is sent."
            : "When all of it is used, further mail is refused until some is free again.",
        string.Empty,
        "If you did not send that much, somebody else may know your password: change it, and tell your postmaster.",
    ];

    private static string Things(LimitEvent limit) =>
        LimitWords.TryThing(limit.Limit[Prefix.Length..], out var what) ? what.Noun() : limit.Limit[Prefix.Length..];
}
