using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>delivery.retry</c>: waits grow from <paramref name="First"/> by <paramref name="Factor"/> up to <paramref name="Most"/>; after <paramref name="GiveUp"/> the sender gets a bounce, and a word once after <paramref name="Warn"/>.</summary>
internal sealed record RetryOptions(TimeSpan First, double Factor, TimeSpan Most, TimeSpan GiveUp, TimeSpan Warn)
{
    public static RetryOptions Read(Section section)
    {
        var options = new RetryOptions(
            section.Value("first", Kinds.Duration, TimeSpan.FromMinutes(1), "1m", "The wait after the first failed attempt."),
            section.Value("factor", Kinds.Factor, 2, "2", "Each later wait is this many times the one before."),
            section.Value("most", Kinds.Duration, TimeSpan.FromHours(4), "4h", "The longest wait."),
            section.Value("give_up", Kinds.Duration, TimeSpan.FromDays(5), "5d", "How long after arrival a message is bounced. RFC 5321 asks for 4 to 5 days. What the server holds for errors of its own is tried a last time so long after the hold began."),
            section.Value("warn", Kinds.Duration, TimeSpan.FromHours(4), "4h", "How long after arrival the sender is told, once, that a message still waits. A sender can forbid it with NOTIFY. Set it as long as `give_up` for no such report."));

        if (options.Most < options.First)
            section.Report(section.Has("most") ? "most" : "first", "the longest wait is shorter than the first");
        if (options.GiveUp < options.First)
            section.Report(section.Has("give_up") ? "give_up" : "first", "a message would be given up before the second attempt");
        return options;
    }
}
