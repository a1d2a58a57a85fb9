using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Dkim;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary><c>dkim</c>: how mail is signed. The keys are in the directory, by <c>postern dkim</c>.</summary>
/// <param name="Rotate">Null: keys are changed by hand.</param>
internal sealed record DkimSection(
    TimeSpan? Rotate,
    TimeSpan Announce,
    TimeSpan Overlap,
    (DkimCanonicalization Header, DkimCanonicalization Body) Canonicalization,
    ImmutableArray<Domain> Required,
    ImmutableArray<DkimSection.FallbackOptions> Fallback)
{
    private static readonly DkimOptions Usual = new();

    private static readonly Kind<TimeSpan?> Period = new(
        "duration", "a duration of at least 1d, such as 180d, or `never`", TryPeriod, []);

    public static DkimSection Read(Section section)
    {
        var options = new DkimSection(
            section.Value(
                "rotate",
                Period,
                fallback: null,
                "`never`",
                "How old a key gets before another follows it, such as `180d`. The server makes the next one in time, says in the log "
                    + "what to publish, and puts it to use when its turn has come and DNS shows it. `never`: `postern dkim rotate` does."),
            section.Value(
                "announce",
                Kinds.Duration,
                Usual.Announce,
                "14d",
                "How long before its turn the next key is made, so that there is time to publish its record."),
            section.Value(
                "overlap",
                Kinds.Duration,
                Usual.Overlap,
                "7d",
                "How long the record of a key is wanted in DNS after another has followed it: mail that it signed is still on its way. "
                    + "Then the key is erased, and the log says that the record may go."),
            section.Value(
                "canonicalization",
                Kinds.Word(
                    ("relaxed/relaxed", (DkimCanonicalization.Relaxed, DkimCanonicalization.Relaxed)),
                    ("relaxed/simple", (DkimCanonicalization.Relaxed, DkimCanonicalization.Simple)),
                    ("simple/simple", (DkimCanonicalization.Simple, DkimCanonicalization.Simple)),
                    ("simple/relaxed", (DkimCanonicalization.Simple, DkimCanonicalization.Relaxed))),
                (DkimCanonicalization.Relaxed, DkimCanonicalization.Relaxed),
                "`relaxed/relaxed`",
                "What of header and body may change on the way: white space (`relaxed`) or nothing (`simple`)."),
            section.List(
                "required",
                Kinds.DomainName,
                [],
                "none",
                "Domains whose mail waits rather than leaves unsigned where no key of theirs is active; those below them too. "
                    + "A domain with an active key has no need to stand here: its mail waits where the key cannot be used."),
            section.Children(
                "fallback",
                FallbackOptions.Read,
                [],
                "By whom mail is signed whose author's domain has no active key here, or whose login may not send as that author: "
                    + "the first entry that fits and whose domain has an active key."));
        if (options.Rotate <= options.Announce)
            section.Report(
                section.Has("announce") ? "announce" : "rotate",
                "the next key would be made before the last one is used",
                "`announce` shorter than `rotate`");
        return options;
    }

    public DkimOptions ToEngine() => new()
    {
        Header = Canonicalization.Header,
        Body = Canonicalization.Body,
        Required = [.. Required.Select(static d => d.Text)],
        Fallback = [.. Fallback.Where(static f => f.Domain is not null).Select(
            static f => new DkimFallback(f.Domain!.Text, f.Tenants, f.Logins))],
        Rotate = Rotate,
        Announce = Announce,
        Overlap = Overlap,
    };

    private static bool TryPeriod(string text, out TimeSpan? value)
    {
        value = null;
        if (text == "never")
            return true;
        if (!DurationText.TryParse(text, out var period) || period < TimeSpan.FromDays(1))
            return false;
        value = period;
        return true;
    }

    /// <param name="Domain">Null where the entry was wrong.</param>
    internal sealed record FallbackOptions(Domain? Domain, ImmutableArray<string> Tenants, ImmutableArray<string> Logins)
    {
        public static FallbackOptions Read(Section section) => new(
            section.Required("domain", Kinds.DomainName, "The domain that signs; `postern dkim` has its keys."),
            section.List("tenant", Kinds.Text, [], "every tenant, and none", "Only for mail of accounts of these tenants."),
            section.List("login_is", Kinds.Text, [], "every login, and none", "Only for mail that these logins submitted."));
    }
}
