using System.Globalization;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Watching;

namespace Postern.Testing.Mailboxes;

/// <summary>
/// A story of mailboxes as the watch sees it, message by message, by the steps that the rule would take. Who is a thief is known to nobody
/// but the count at the end: what was done with whose messages.
/// </summary>
internal sealed class TheftReplay
{
    /// <summary>Messages of a thief that may go out before they are held or refused.</summary>
    public const int MostOut = 50;

    private readonly MailboxStory story;
    private readonly List<Fate> fates = [];

    private TheftReplay(MailboxStory story) => this.story = story;

    public int Messages { get; private set; }

    public int Thefts => Of(StoryKind.LoudSpray, StoryKind.SameContent).Count;

    /// <summary>Whose messages were held or refused before too many of them were out.</summary>
    public int Caught => Of(StoryKind.LoudSpray, StoryKind.SameContent).Count(static one => one.CaughtAfter is not null && one.Out <= MostOut);

    /// <summary>Honest ones, of whom nothing was ever stolen, that were suspended.</summary>
    public int HonestSuspended => Honest(WatchStep.Suspend);

    public int HonestHeld => Honest(WatchStep.Hold);

    public int HonestSlowed => Honest(WatchStep.Throttle);

    /// <param name="knowsPlaces">There are databases of countries and network operators.</param>
    public static TheftReplay Of(int seed, bool knowsPlaces = true)
    {
        var replay = new TheftReplay(new MailboxStory(seed));
        var messages = replay.story.Write();
        replay.Messages = messages.Count;
        replay.fates.AddRange(replay.story.Kinds.Select(static _ => new Fate()));
        var clock = new StoryClock();
        using var watch = new LoginWatch(path: null, suspended: null, NoAuditLog.Instance, clock);
        foreach (var message in messages)
        {
            clock.Now = message.At;
            replay.fates[message.Login].Meet(message, replay.Judge(watch, message, knowsPlaces));
        }

        return replay;
    }

    /// <summary>A line for each kind, and one for all.</summary>
    public string ToTable()
    {
        var text = new StringBuilder("| who | logins | caught | minutes to catch, median and most | messages out, median and most | slowed | held | suspended |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var kind in Enum.GetValues<StoryKind>())
        {
            var all = Of(kind, kind);
            var isTheft = kind >= StoryKind.LoudSpray;
            var times = all.Select(static one => one.CaughtAfter?.TotalMinutes ?? double.PositiveInfinity).Order().ToList();
            var outs = all.Select(static one => one.Out).Order().ToList();
            text.Append(CultureInfo.InvariantCulture, $"| {kind} | {all.Count} |")
                .Append(isTheft
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $" {all.Count(static one => one.CaughtAfter is not null && one.Out <= MostOut)} | {times[times.Count / 2]:0}, {times[^1]:0} | {outs[outs.Count / 2]}, {outs[^1]} |")
                    : " - | - | - |")
                .Append(CultureInfo.InvariantCulture, $" {all.Count(static one => one.Honest == WatchStep.Throttle)} |")
                .Append(CultureInfo.InvariantCulture, $" {all.Count(static one => one.Honest == WatchStep.Hold)} |")
                .Append(CultureInfo.InvariantCulture, $" {all.Count(static one => one.Honest == WatchStep.Suspend)} |\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"{Caught} of {Thefts} thefts caught within {MostOut} messages; {Messages} messages\n").ToString();
    }

    private int Honest(WatchStep step) => Of(StoryKind.Ordinary, StoryKind.Application).Count(one => one.Honest == step);

    private List<Fate> Of(StoryKind from, StoryKind to) =>
        [.. fates.Where((_, i) => story.Kinds[i] >= from && story.Kinds[i] <= to)];

    /// <summary>What becomes of a message, and how many of its recipients get it.</summary>
    private (WatchStep Step, int Passed) Judge(ILoginWatch watch, StoryMessage message, bool knowsPlaces)
    {
        var fate = fates[message.Login];
        if (message.At < fate.SuspendedUntil)
            return (WatchStep.Suspend, 0);
        var (login, levels) = (new WatchedLogin($"u{message.Login}", Credential: null), WatchLevels.Usual);
        var sending = new Sending(
            message.Client >> 8,
            knowsPlaces ? MailboxStory.CountryOf(message.Client) : 0,
            knowsPlaces ? MailboxStory.SystemOf(message.Client) : 0,
            message.At)
        {
            Client = Mixed(message.Client),
            Author = Mixed((ulong)message.Author),
        };
        var (step, passed) = (WatchStep.None, 0);
        for (var i = 0; i < message.To.Length && step < WatchStep.Suspend; i++)
        {
            // Many mailboxes are at a few large providers.
            var to = message.To[i];
            var answer = watch.Judge(login, sending with { Recipient = Mixed((ulong)to), Domain = Mixed((ulong)(to % 7 < 3 ? to % 12 : to)) }, levels, counts: true)!;
            step = answer.Step > step ? answer.Step : step;
            passed += answer is { Step: WatchStep.Throttle, Passes: false } or { Step: WatchStep.Suspend } ? 0 : 1;
            if (i < message.Missing)
                watch.AddFailure(login);
        }

        if (passed > 0 && step < WatchStep.Suspend)
        {
            var answer = watch.Judge(login, sending with { Subject = (uint)Mixed((ulong)message.Subject) | 1, Copies = passed }, levels, counts: true)!;
            step = answer.Step > step ? answer.Step : step;
        }

        if (step == WatchStep.Suspend)
            fate.SuspendedUntil = message.At + levels.SuspendFor;
        return (step, step == WatchStep.Suspend ? 0 : passed);
    }

    private static ulong Mixed(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return (value ^ (value >> 31)) | 1;
    }

    /// <summary>What became of the messages of one login.</summary>
    private sealed class Fate
    {
        private DateTimeOffset? begin;

        public DateTimeOffset SuspendedUntil { get; set; }

        /// <summary>The heaviest step that met the user.</summary>
        public WatchStep Honest { get; private set; }

        /// <summary>Messages of the thief that went out.</summary>
        public int Out { get; private set; }

        /// <summary>From the thief's first message to the first that was held or refused for good.</summary>
        public TimeSpan? CaughtAfter { get; private set; }

        public void Meet(StoryMessage message, (WatchStep Step, int Passed) what)
        {
            if (!message.IsThiefs)
            {
                Honest = what.Step > Honest ? what.Step : Honest;
                return;
            }

            begin ??= message.At;
            if (what.Step >= WatchStep.Hold)
                CaughtAfter ??= message.At - begin;
            else if (what.Passed > 0)
                Out++;
        }
    }

    private sealed class StoryClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
