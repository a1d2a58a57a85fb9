using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// A command of this machine gets each message on its standard input, once for each recipient, as with Postfix's <c>pipe</c>. No shell sees
/// anything of it: the words are what stands in the configuration, and what a message puts into a word stays in that word.
/// </summary>
/// <param name="Text">As the operator wrote it: words separated by spaces, one in double quotes where it has spaces itself.</param>
internal sealed record PipePlace(string Text) : IHopPlace
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>As a sender is told of it.</summary>
    private const string Program = "the program that takes the mail of this address";

    private readonly ImmutableArray<string> words = WordsOf(Text) ?? [];

    public string Name => $"pipe:{Text}";

    public string? Doubt => !File.Exists(CommandRun.NewSession)
        ? $"{CommandRun.NewSession} is not there (Debian: util-linux): no command can be run without it"
        : !File.Exists(words[0]) ? $"{words[0]} does not exist: mail for it waits until it does"
        : !OperatingSystem.IsWindows() && (File.GetUnixFileMode(words[0]) & AnyExecute) == 0
            ? $"{words[0]} is not executable: mail for it waits"
        : null;

    public bool Equals(PipePlace? other) => other is not null && Text == other.Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public static string? Read(string text, out IHopPlace? place)
    {
        place = null;
        text = text.Trim();
        if (WordsOf(text) is not { IsEmpty: false } words)
            return text.Length == 0 ? "no command is named" : $"'{text}' has a quote that does not end";
        if (words[0][0] != '/')
            return $"'{words[0]}' is not an absolute path: no search path is used";
        if (text.Any(char.IsControl))
            return "a control character stands in the command";
        if (!PlaceText.IsPlain(words[0]))
            return "which command is run cannot depend on the message";
        foreach (var word in words)
        {
            if (PlaceText.WhyNot(word, PlaceText.All) is { } why)
                return $"{word}: {why}";
        }

        place = new PipePlace(text);
        return null;
    }

    public async ValueTask<Outcome> DeliverAsync(
        OutgoingMessage message, Mailbox recipient, PlaceContext context, CancellationToken ct)
    {
        var id = message.Content is IQueuedContent queued ? queued.QueueId.ToString() : string.Empty;
        var filled = ImmutableArray.CreateBuilder<string>(words.Length);
        foreach (var word in words)
        {
            filled.Add(PlaceText.Fill(word, name => PlaceText.ValueOf(name, recipient, message.Sender, id)));
            // A word that the message begins must not become an option.
            if (filled[^1] is ['-', ..] && word[0] == '{')
                return Failed("an address that begins with - is given to no command", "5.1.3");
        }

        return OfEnd(
            await new CommandRun(filled.MoveToImmutable(), EnvironmentOf(message, recipient, id), context)
                .RunAsync(new PlaceContent(message, recipient), message.Revoked, ct).ConfigureAwait(false),
            context);
    }

    /// <summary>Nothing of this server's own environment: it may hold secrets.</summary>
    private static ImmutableArray<(string Name, string Value)> EnvironmentOf(OutgoingMessage message, Mailbox recipient, string id) =>
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("SENDER", message.Sender.Mailbox?.Address ?? string.Empty),
        ("RECIPIENT", recipient.Address),
        ("USER", PlaceText.UserOf(recipient)),
        ("DOMAIN", recipient.Domain.Text),
        ("QUEUE_ID", id),
    ];

    private Outcome OfEnd(CommandEnd end, PlaceContext context)
    {
        var said = end.Output.Length == 0 ? string.Empty : $": {end.Output}";
        switch (end)
        {
            case { NotStarted: { } why }:
                return NotRun($"{words[0]} cannot be run: {why}");
            case { HasTimedOut: true }:
                var seconds = context.CommandTime.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
                return Later($"{words[0]} was ended, as it took longer than {seconds} s{said}", "4.3.0", $"{Program} took too long");
            case { Status: 0 }:
                return new Outcome.Delivered(Remote: null, $"{words[0]} took it{said}", Tls: null, "2.0.0")
                {
                    IsFinal = true,
                    Phase = DeliveryPhase.End,
                    Told = PlaceText.Delivered,
                };
            case { Status: CommandRun.NotFound or CommandRun.NotRun }:
                return NotRun($"{words[0]} cannot be run{said}");
            case { Status: > CommandRun.Signal }:
                var signal = (end.Status - CommandRun.Signal).ToString(CultureInfo.InvariantCulture);
                return Later($"{words[0]} was ended by signal {signal}{said}", "4.3.0", $"{Program} was ended by a signal");
        }

        var how = string.Create(CultureInfo.InvariantCulture, $"ended with status {end.Status}");
        // As Postfix has it: the command's own code counts more than what its exit status stands for.
        var own = EnhancedStatus.Parse(end.Output.Split(' ', 2)[0]) is { Class: 4 or 5 } code ? code.ToString() : null;
        var status = own ?? StatusOf(end.Status);
        // What it says behind a code is meant for senders; else it may be anything, as the trace of an error.
        var told = own is null ? $"{Program} {how}" : end.Output;
        return status[0] == '4'
            ? Later($"{words[0]} {how}{said}", status, told)
            : Failed($"{words[0]} {how}{said}", status, told);
    }

    /// <summary>What the exit statuses of <c>sysexits.h</c> mean, as Postfix has it.</summary>
    private static string StatusOf(int exit) => exit switch
    {
        65 => "5.6.0",          // EX_DATAERR
        67 => "5.1.1",          // EX_NOUSER
        68 => "5.1.2",          // EX_NOHOST
        71 => "4.3.0",          // EX_OSERR
        73 => "5.2.0",          // EX_CANTCREAT
        75 => "4.3.0",          // EX_TEMPFAIL
        76 => "5.5.0",          // EX_PROTOCOL
        77 => "5.7.0",          // EX_NOPERM
        78 => "5.3.5",          // EX_CONFIG
        _ => "5.3.0",
    };

    private static Outcome.Failed Failed(string why, string status, string? told = null) =>
        new(Remote: null, why, Tls: null, status) { Cause = DeliveryCause.Refused, Phase = DeliveryPhase.End, Told = told };

    private static Outcome.Deferred Later(string why, string status, string told) =>
        new(Remote: null, why, Tls: null, status)
        {
            After = AfterDeferral.NextAttempt,
            Cause = DeliveryCause.Refused,
            Phase = DeliveryPhase.End,
            Told = told,
        };

    private static Outcome.Deferred NotRun(string why) =>
        Later(why, "4.3.0", $"{Program} cannot be run now") with { Cause = DeliveryCause.OwnSurroundings };

    /// <summary>Null where a quote does not end.</summary>
    private static ImmutableArray<string>? WordsOf(string text)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        var word = new StringBuilder();
        var (isQuoted, isWord) = (false, false);
        foreach (var c in text)
        {
            if (c == '"')
                (isQuoted, isWord) = (!isQuoted, true);
            else if (c != ' ' || isQuoted)
                (_, isWord) = (word.Append(c), true);
            else if (isWord)
                Take();
        }

        if (isQuoted)
            return null;
        if (isWord)
            Take();
        return found.DrainToImmutable();

        void Take()
        {
            found.Add(word.ToString());
            word.Clear();
            isWord = false;
        }
    }
}
