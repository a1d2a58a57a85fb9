using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Envelopes;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Forwarding;

/// <summary><c>delivery.srs</c>: how senders of forwarded mail are rewritten.</summary>
/// <param name="Secret">Null where it was wrong.</param>
/// <param name="Domain">Null: the name of this machine.</param>
internal sealed record SrsSection(Secret? Secret, ImmutableArray<Secret> OlderSecrets, Domain? Domain, TimeSpan ValidFor)
{
    /// <summary>Whoever has a rewritten address can try secrets against it.</summary>
    private const int LeastLetters = 12;

    private static readonly Kind<TimeSpan> Days = new(
        "duration", $"a duration from 1d to {Srs.MostDays}d, such as 21d", TryDays, []);

    public static SrsSection Read(Section section)
    {
        var options = new SrsSection(
            section.Secret(
                "secret",
                "What rewritten addresses are signed with: `file:PATH`, `credential:NAME`, `vault:PATH#KEY`, `${VARIABLE}` or the text "
                    + "itself, at least "
                    + $"{LeastLetters} letters. One of postsrsd or another program of the scheme goes on."),
            section.SecretList(
                "older_secrets",
                "Those that addresses were signed with before, as long as reports may come to such: they only verify."),
            section.Value<Domain?>(
                "domain",
                Kinds.DomainName!,
                fallback: null,
                "`server.hostname`",
                "The domain of the addresses. Its MX leads here and its SPF record names the addresses that mail leaves from. "
                    + "Of an address in it that this scheme has not made, `domains` says whether it is accepted."),
            section.Value(
                "valid_for",
                Days,
                TimeSpan.FromDays(21),
                "`21d`",
                "How long mail to a rewritten address is taken, in whole days: longer than anybody's queue tries."));
        if (options.Secret is null && !section.Has("secret"))
            section.ReportMissing("secret", "a secret that is this server's own: openssl rand -base64 24");
        if (options.Secret is { } secret && secret.Reveal().Length < LeastLetters)
            section.Report("secret", $"it has fewer than {LeastLetters} letters and could be guessed");
        return options;
    }

    /// <param name="hostname">Of this machine.</param>
    public Srs ToEngine(Domain hostname) =>
        new(Domain ?? hostname, [Secret!, .. OlderSecrets], (int)Math.Ceiling(ValidFor.TotalDays));

    private static bool TryDays(string text, out TimeSpan value) =>
        DurationText.TryParse(text, out value) && value >= TimeSpan.FromDays(1) && value <= TimeSpan.FromDays(Srs.MostDays);
}
